/** Tries again and again while another instance answers on the same address: the connection may reach any of them. */
import { NotAnsweredBy, pause, type Clock } from '@systemg/core'

const firstWaitMs = 2
const longestWaitMs = 100
const longestTryMs = 500

/**
 * @param instance - Who should answer, for the message.
 * @throws {Error} `answered by pid 812, not by api-3 …` when it never was the right one.
 */
export const untilAnsweredBy = async <T>(
  instance: string,
  clock: Clock,
  signal: AbortSignal,
  ask: () => Promise<T>,
): Promise<T> => {
  let last: string | undefined
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    const startMs = clock.monotonic()
    try {
      return await ask()
    } catch (thrown) {
      if (thrown instanceof NotAnsweredBy) last = `${sentence(thrown, instance)} (${advice})`
      // One that takes long is answered by nobody, or by the right one that does not come to an end.
      else if (!signal.aborted || last === undefined || clock.monotonic() - startMs > longestTryMs) throw thrown
      if (thrown instanceof NotAnsweredBy && thrown.why === 'unattributable') throw new Error(last)
    }
    await pause(clock, waitMs, signal).catch(() => undefined)
    if (signal.aborted) throw new Error(last)
  }
}

const advice = 'use `notify`, or a `candidate_health_check` on an address of its own'

const sentence = ({ why, message }: NotAnsweredBy, instance: string): string =>
  why === 'other' ? `${message}, not by ${instance}` : `it is not known whether ${instance} answered: ${message}`

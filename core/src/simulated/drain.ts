/**
 * Lets every microtask run that is due, and every one that those cause.
 *
 * A macrotask starts only when the microtask queue is empty, so one hop over a `MessageChannel` is a complete drain.
 * There is one channel for all worlds; it keeps a Node process alive only while a drain is pending.
 */

interface Port {
  onmessage: (() => void) | null
  postMessage(message: null): void
  ref?(): void
  unref?(): void
}

interface Channel {
  readonly port1: Port
  readonly port2: Port
}

const waiting: (() => void)[] = []
let channel: Channel | undefined

/** Resolves when no microtask is left. Drains resolve one after the other, each after a drain of its own. */
export const drainMicrotasks = (): Promise<void> =>
  new Promise((resolve) => {
    channel ??= openChannel()
    if (waiting.push(resolve) === 1) channel.port1.ref?.()
    channel.port2.postMessage(null)
  })

const openChannel = (): Channel => {
  const { MessageChannel } = globalThis as unknown as { MessageChannel: new () => Channel }
  const opened = new MessageChannel()
  opened.port1.onmessage = () => {
    const resolve = waiting.shift()
    if (waiting.length === 0) opened.port1.unref?.()
    resolve?.()
  }
  return opened
}

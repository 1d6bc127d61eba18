/** Full load on one address by wrk (Debian package `wrk`): it counts whatever went wrong with a request, and honours `Connection: close`. */
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

/** What one run of wrk saw. Times in milliseconds. */
export interface LoadFigures {
  readonly requests: number
  readonly durationMs: number
  /** Connections that were refused or reset before a request. */
  readonly connect: number
  /** Answers that were cut off, or never began. */
  readonly read: number
  readonly write: number
  /** Answers that took longer than wrk's two seconds. */
  readonly timeout: number
  /** Answers other than 2xx and 3xx. */
  readonly status: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Answers by tenth of a second: [tenths since 1970, count]. */
  readonly answers: readonly (readonly [tenth: number, count: number])[]
}

export interface LoadOptions {
  readonly connections: number
  /** False: a connection for every request. */
  readonly keepAlive: boolean
}

export interface Load {
  /** No more requests. @throws when wrk itself failed. */
  stop(): Promise<LoadFigures>
}

export const hasWrk = (): boolean => spawnSync('wrk', ['-v']).error === undefined

/** Send requests until `stop`. One thread: the rest of the machine is for what is being measured. */
export const startLoad = (url: string, { connections, keepAlive }: LoadOptions): Load => {
  const script = join(import.meta.dirname, 'wrk.lua')
  const close = keepAlive ? [] : ['-H', 'Connection: close']
  const wrk = spawn('wrk', ['-t1', `-c${connections}`, '-d600s', ...close, '-s', script, url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const output = text(wrk.stdout)
  return {
    async stop() {
      wrk.kill('SIGINT')
      const line = (await output).split('\n').find((each) => each.startsWith('RESULT '))
      if (line === undefined) throw new Error(`wrk gave no result:\n${await output}`)
      return JSON.parse(line.slice('RESULT '.length)) as LoadFigures
    },
  }
}

/** Requests that did not get a good answer, for whatever reason. */
export const failedOf = ({ connect, read, write, timeout, status }: LoadFigures): number =>
  connect + read + write + timeout + status

/** Answers within these spans of wall time, ms; as exact as a tenth of a second. */
export const answersWithin = ({ answers }: LoadFigures, spans: readonly (readonly [fromMs: number, toMs: number])[]) =>
  answers
    .filter(([tenth]) => spans.some(([fromMs, toMs]) => tenth * 100 >= fromMs && tenth * 100 + 100 <= toMs))
    .reduce((sum, [, count]) => sum + count, 0)

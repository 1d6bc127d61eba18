/** The supervisor's own log: consola for people, and a file for `sysg logs --kind supervisor`. */
import type { Trace } from '@systemg/core'
import type { StreamLog } from '@systemg/plugins/logs'
import { createConsola, type LogObject } from 'consola/core'
import type { LogLevel } from '../command.ts'

/** consola's numbers for our names. */
const levels: Readonly<Record<LogLevel, number>> = { off: -999, error: 0, warn: 1, info: 3, debug: 4, trace: 5 }

const mostEarly = 1_000

export interface SupervisorTrace {
  readonly trace: Trace
  /** From here on also into a file, with what was said before. */
  readonly into: (log: StreamLog) => void
}

/** @param show - Given each line that `logLevel` lets through; undefined: they go nowhere but into the file. */
export const createTrace = (logLevel: LogLevel, show: ((line: string) => void) | undefined): SupervisorTrace => {
  let log: StreamLog | undefined
  /** Lines from before there is a file. */
  const early: [line: string, timeMs: number][] = []
  const toFile = (line: string, timeMs: number) => {
    if (log !== undefined) log.write(new TextEncoder().encode(line), timeMs)
    else if (early.length < mostEarly) early.push([line, timeMs])
  }
  const logger = createConsola({
    level: levels[logLevel],
    reporters: [{ log: (entry) => write(entry, show, toFile) }],
  })
  return {
    trace: (level, message, facts) => logger[level](message, ...(facts === undefined ? [] : [facts])),
    into: (target) => {
      log = target
      for (const [line, timeMs] of early.splice(0)) toFile(line, timeMs)
    },
  }
}

const write = (
  entry: LogObject,
  show: ((line: string) => void) | undefined,
  toFile: (line: string, timeMs: number) => void,
): void => {
  const [message, facts] = entry.args as [string, Readonly<Record<string, unknown>> | undefined]
  const details = facts === undefined ? '' : ` ${JSON.stringify(facts, plain)}`
  const line = `${entry.date.toISOString()} ${entry.type} ${message}${details}\n`
  toFile(line, entry.date.getTime())
  show?.(line)
}

/** Errors have no fields that JSON would show. */
const plain = (_key: string, value: unknown): unknown =>
  value instanceof Error ? (value.stack ?? value.message) : value

/** Writes log lines to stdout: exactly their bytes, with a prefix where several services are shown. */
import type { LogRecord } from '@systemg/plugins/logs'
import { writeAbove } from './live-block.ts'
import type { Style, Terminal } from './terminal.ts'

export interface LogFormat {
  /** One object per line. */
  readonly json: boolean
  /** Put the time before each line. */
  readonly timestamps: boolean
  /** The services that are shown, for the prefix; undefined: no prefix. */
  readonly services: readonly string[] | undefined
  /** One service alone is shown: what it has started has a prefix all the same. */
  readonly only?: string | undefined
}

export interface LogPrinter {
  /** Take a line. It is written by `flush`. */
  add(record: LogRecord): void
  /** Write what was taken, at once. */
  flush(): void
  /** Lines that were taken and not written yet. */
  readonly waiting: number
}

export const createLogPrinter = (terminal: Terminal, format: LogFormat): LogPrinter => {
  const prefixOf = format.json ? () => '' : prefixesFor(terminal, format)
  let chunks: Uint8Array[] = []
  let waiting = 0
  return {
    get waiting() {
      return waiting
    },
    add(record) {
      waiting += 1
      if (format.json) {
        chunks.push(Buffer.from(`${JSON.stringify(jsonOf(record))}\n`))
        return
      }
      const time = format.timestamps ? `${terminal.paint('dim', record.time)} ` : ''
      chunks.push(Buffer.from(prefixOf(record.service) + time), bytesOf(record), newline)
    },
    flush() {
      if (waiting === 0) return
      const data = Buffer.concat(chunks)
      chunks = []
      waiting = 0
      writeAbove(terminal, data)
    },
  }
}

/** The record as `logs --json` prints it, without what a notification adds. */
const jsonOf = (record: LogRecord): LogRecord => {
  const { time, service, instance, stream } = record
  const known = { time, service, instance, stream }
  return 'line' in record ? { ...known, line: record.line } : { ...known, base64: record.base64 }
}

const newline = Buffer.from('\n')

const bytesOf = (record: LogRecord): Uint8Array =>
  'line' in record ? Buffer.from(record.line) : Buffer.from(record.base64, 'base64')

/** What stands before a line of a service. */
export const prefixesFor = (terminal: Terminal, { services, only }: LogFormat): ((service: string) => string) => {
  if (services !== undefined) return prefixes(terminal, services)
  if (only === undefined) return () => ''
  const ofOthers = prefixes(terminal, [])
  return (service) => (service === only ? '' : ofOthers(service))
}

/** Red is for errors. */
const colours: readonly Style[] = [
  ...(['cyan', 'yellow', 'green', 'magenta', 'blue'] as const),
  ...(['cyanBright', 'yellowBright', 'greenBright', 'magentaBright', 'blueBright'] as const),
]

/** `api    | `, each service in a colour of its own. One that nobody knew of widens the column from there on. */
const prefixes = (terminal: Terminal, services: readonly string[]): ((service: string) => string) => {
  const known = [...services]
  let width = Math.max(0, ...known.map(({ length }) => length))
  return (service) => {
    if (!known.includes(service)) {
      known.push(service)
      width = Math.max(width, service.length)
    }
    const colour = colours[known.indexOf(service) % colours.length] ?? 'cyan'
    return `${terminal.paint(colour, `${service.padEnd(width)} |`)} `
  }
}

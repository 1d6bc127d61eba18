/** From bytes to lines, and from a line to what people and programs read. Pure. */
import type { LogSource, StreamName } from './layout.ts'
import type { Position } from './stream-log.ts'

/** A longer line is split, so that no line can fill the memory. Bytes. */
export const longestLine = 64 * 1024

export const newline = 10

/** A line with its newline, if it has one. */
export interface LogLine {
  readonly timeMs: number
  readonly service: string
  /** Empty when nobody knows. */
  readonly instance: string
  readonly stream: StreamName
  readonly bytes: Uint8Array
}

/** Lines of one stream that came at the same moment, one behind the other. Only the last one may have no newline. */
export interface LogRun extends LogLine {
  /** Where in the files the next line begins. */
  readonly end: Position
  readonly source: LogSource
}

/** A line as `sysg logs --json` prints it. `base64` stands for bytes that are not UTF-8. */
export type LogRecord = {
  readonly time: string
  readonly service: string
  readonly instance: string
  readonly stream: StreamName
} & ({ readonly line: string } | { readonly base64: string })

/** Where the line that begins at `start` ends (behind its newline); `undefined` when `bytes` do not hold its end. */
const lineEnd = (bytes: Uint8Array, start: number): number | undefined => {
  const at = bytes.indexOf(newline, start)
  if (at !== -1 && at - start <= longestLine) return at + 1
  return bytes.length - start > longestLine ? characterBorder(bytes, start, start + longestLine) : undefined
}

/** Lines that are together, such as a run, each on its own; overlong ones in several parts. */
export const linesOf = ({ timeMs, service, instance, stream, bytes }: LogLine): readonly LogLine[] => {
  const lines: LogLine[] = []
  for (let at = 0; at < bytes.length;) {
    const end = lineEnd(bytes, at) ?? bytes.length
    lines.push({ timeMs, service, instance, stream, bytes: bytes.subarray(at, end) })
    at = end
  }
  return lines
}

/** Whether a line in `bytes` is so long that it is split. */
export const hasOverlong = (bytes: Uint8Array): boolean => {
  for (let at = 0; bytes.length - at > longestLine;) {
    const last = bytes.lastIndexOf(newline, at + longestLine)
    if (last < at) return true
    at = last + 1
  }
  return false
}

/** The last place at or before `end` (but behind `start`) that does not cut a UTF-8 character in two. */
export const characterBorder = (bytes: Uint8Array, start: number, end: number): number => {
  let at = end
  while (at > end - 4 && at > start + 1 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at--
  return ((bytes[at] ?? 0) & 0xc0) === 0x80 ? end : at
}

/** How many of the first bytes belong to a UTF-8 character that began before them; 0 when it is no UTF-8. */
export const characterStart = (bytes: Uint8Array): number => {
  const at = bytes.subarray(0, 4).findIndex((byte) => (byte & 0xc0) !== 0x80)
  return Math.max(0, at)
}

/** How many newlines there are. */
export const countNewlines = (bytes: Uint8Array): number => {
  let count = 0
  for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) count++
  return count
}

/** The text of a line without its newline; `undefined` when it is not UTF-8. */
const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    return utf8().decode(withoutNewline(bytes))
  } catch {
    return undefined
  }
}

/** The text of a line for people: bytes that are not UTF-8 become replacement characters. */
export const displayTextOf = (bytes: Uint8Array): string => lenient().decode(withoutNewline(bytes))

export const recordOf = ({ timeMs, service, instance, stream, bytes }: LogLine): LogRecord => {
  const text = textOf(bytes)
  const known = { time: new Date(timeMs).toISOString(), service, instance, stream }
  return text === undefined ? { ...known, base64: base64(withoutNewline(bytes)) } : { ...known, line: text }
}

/** Made when the first line is shown: they take milliseconds, and a supervisor that comes back has more urgent things to do. */
let strictDecoder: InstanceType<typeof TextDecoder> | undefined
let lenientDecoder: InstanceType<typeof TextDecoder> | undefined
const utf8 = () => (strictDecoder ??= new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }))
const lenient = () => (lenientDecoder ??= new TextDecoder('utf-8', { ignoreBOM: true }))

const withoutNewline = (bytes: Uint8Array): Uint8Array =>
  bytes[bytes.length - 1] === newline ? bytes.subarray(0, -1) : bytes

const base64 = (bytes: Uint8Array): string => {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}

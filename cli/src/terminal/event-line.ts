/** One event on one line, for people and for programs. */
import type { SysgEvent } from '@systemg/core'
import { describeEvent } from './event-words.ts'
import type { Style, Terminal } from './terminal.ts'
import { pad, plain, stripped, widthOf, wrap } from './text.ts'

/** `2026-01-31 12:00:00.000  #42  service.exited      api exited: code 1  ← #41`. The time is local. */
export const eventLine = (event: SysgEvent, { paint }: Pick<Terminal, 'paint'>): string => {
  const { cause } = event
  const rest = [describeEvent(event), ...(cause === undefined ? [] : [paint('dim', causeOf(cause))])]
  return [headOf(event, paint), ...rest].join('  ').trimEnd()
}

/** The same no wider than this: what happened stands below when, and of which type, and a little to the right. */
export const eventLines = (event: SysgEvent, { paint, width }: EventLineOptions): readonly string[] => {
  const line = eventLine(event, { paint })
  if (widthOf(stripped(line)) <= width) return [line]
  const { cause } = event
  const head = headOf(event, paint).trimEnd()
  const words = [describeEvent(event), ...(cause === undefined ? [] : [causeOf(cause)])].join(' ')
  const room = Math.max(1, width - hanging.length)
  const isHeadWhole = widthOf(stripped(head)) <= width
  const [first = '', ...others] = isHeadWhole ? [head] : wrap(stripped(head), room)
  return [first, ...[...others, ...wrap(words, room)].map((text) => hanging + text)]
}

interface EventLineOptions extends Pick<Terminal, 'paint'> {
  readonly width: number
}

const hanging = '  '

const headOf = ({ seq, time, type }: SysgEvent, paint: Terminal['paint']): string =>
  [
    paint('dim', localTime(time)),
    paint('dim', pad(`#${seq}`, seqWidth)),
    paintType(pad(plain(type), typeWidth), type, paint),
  ].join('  ')

const causeOf = (cause: number): string => `← #${cause}`

/** The event as SPEC §5 has it, without what a notification adds. */
export const eventOf = ({ seq, time, project, service, instance, type, cause, data }: SysgEvent): SysgEvent => ({
  seq,
  time,
  project,
  ...(service === undefined ? {} : { service }),
  ...(instance === undefined ? {} : { instance }),
  type,
  ...(cause === undefined ? {} : { cause }),
  data,
})

const seqWidth = 5
/** Most types are shorter. */
const typeWidth = 20

const styles: readonly (readonly [types: RegExp, style: Style])[] = [
  [/\.(failed|unhealthy|rolled_back|start_failed|undo_failed|switch_failed|listen_failed|error|dropping)$/, 'red'],
  [/\.(blocked|backoff|degraded|restarting|exited|daemonized|rejected)$/, 'yellow'],
  [/\.(ready|completed|succeeded)$/, 'green'],
]

const paintType = (text: string, type: string, paint: Terminal['paint']): string => {
  const style = styles.find(([types]) => types.test(type))?.[1]
  return style === undefined ? text : paint(style, text)
}

/** `2026-01-31 12:00:00.000`. What cannot be read as a time is shown as it is. */
export const localTime = (iso: string): string => {
  const time = new Date(iso)
  if (Number.isNaN(time.getTime())) return plain(iso)
  const two = (value: number): string => String(value).padStart(2, '0')
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`
  return `${date} ${clock}.${String(time.getMilliseconds()).padStart(3, '0')}`
}

/** The lines of what is shown instead of the table. Pure. */
import type { LogRecord } from '@systemg/plugins/logs'
import { statusTable } from '../terminal/status-table.ts'
import type { ServiceStatus } from '../terminal/service-status.ts'
import type { TableOptions } from '../terminal/table.ts'
import { plain, wrap } from '../terminal/text.ts'

export const helpLines = (): readonly string[] => [
  '  ↑ ↓  j k          select a service, or scroll',
  '  PgUp PgDn space   a screen up or down',
  '  g G  Home End     the first, the last',
  '  enter  i          everything about the service',
  '  l                 its logs, as they come',
  '  r                 restart it',
  '  s                 stop it, or start it when it is down',
  '  /                 find by name; Esc shows all again',
  '  Ctrl-L            draw everything again',
  '  Ctrl-Z            suspend; `fg` goes on',
  '  q  Esc  Ctrl-C    back, or quit',
]

/** Everything that `status` knows of one service. */
export const detailLines = (
  service: ServiceStatus,
  options: Pick<TableOptions, 'width' | 'paint'> & { readonly nowMs: number },
): readonly string[] => {
  const { id, since, depends_on: needs, exit, last_lines: lastLines } = service
  const how = exit === null ? undefined : (exit.signal ?? (exit.code === null ? 'nobody saw how' : `code ${exit.code}`))
  const facts: readonly (readonly [title: string, value: string])[] = [
    ['id', id],
    ['since', since],
    ['needs', needs.join(', ')],
    ['last exit', how === undefined ? '' : `${how}, ${exit?.at ?? ''}`],
  ]
  return [
    ...statusTable([service], { ...options, instances: true }).slice(0, -2),
    '',
    ...facts
      .filter(([, value]) => value !== '')
      .flatMap(([title, value]) => {
        const [first = '', ...rest] = wrap(plain(value), Math.max(10, options.width - titleWidth))
        const margin = ' '.repeat(titleWidth)
        return [options.paint('dim', title.padEnd(titleWidth)) + first, ...rest.map((line) => margin + line)]
      }),
    ...(lastLines.length === 0
      ? []
      : ['', options.paint('dim', 'last lines'), ...lastLines.map((line) => `  ${plain(line)}`)]),
  ]
}

const titleWidth = 12

/** A line of a log as the view shows it. */
export const logLine = (record: LogRecord, paint: TableOptions['paint']): string => {
  const text = plain('line' in record ? record.line : Buffer.from(record.base64, 'base64').toString())
  return record.stream === 'stderr' ? paint('yellow', text) : text
}

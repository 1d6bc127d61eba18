/** The lines of what is shown instead of the table. Pure. */
import type { LogRecord } from '@systemg/plugins/logs'
import type { TableOptions } from '../terminal/table.ts'
import { plain } from '../terminal/text.ts'

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

/** A line of a log as the view shows it. */
export const logLine = (record: LogRecord, paint: TableOptions['paint']): string => {
  const text = plain('line' in record ? record.line : Buffer.from(record.base64, 'base64').toString())
  return record.stream === 'stderr' ? paint('yellow', text) : text
}

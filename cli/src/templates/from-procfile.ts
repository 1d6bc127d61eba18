/** Reads a Procfile (Heroku, foreman, honcho, overmind): `name: command`, one to a line. */
import type { Draft, ServiceDraft } from './draft.ts'
import { literal } from './literal.ts'
import { renamedNote, serviceNamesFor } from './service-names.ts'

/** foreman gives the first process this `PORT`, and each that follows a hundred more. */
const firstPort = 5000

export const fromProcfile = (text: string, source: string): Draft => {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line, index) => ({ line: line.trim(), number: index + 1 }))
    .filter(({ line }) => line !== '' && !line.startsWith('#'))
  const processes = lines.map(({ line, number }) => ({ number, match: /^([\w.-]+)\s*:\s*(\S.*)$/.exec(line) }))
  const unread = processes.filter(({ match }) => match === null).map(({ number }) => number)
  const found = processes.flatMap(({ match }) =>
    match === null ? [] : [{ name: match[1] ?? '', command: match[2] ?? '' }],
  )
  const names = serviceNamesFor(found.map(({ name }) => name))
  const notes = unread.length === 0 ? [] : [`not read: line ${unread.join(', ')} of ${source} (no \`name: command\`)`]
  const services = [...new Map(found.map((process) => [process.name, process])).values()].map(
    ({ name, command }, index): ServiceDraft => ({
      name: names.get(name) ?? name,
      keys: { command: literal(command), env: portFor(name, command, index) },
      notes: [...renamedNote(name, names.get(name) ?? name), ...releaseNote(name)],
    }),
  )
  return { source, system: {}, services, notes }
}

const portFor = (name: string, command: string, index: number): unknown =>
  name === 'web' || /\$\{?PORT\b/.test(command) ? { vars: { PORT: String(firstPort + 100 * index) } } : undefined

const releaseNote = (name: string): readonly string[] =>
  name === 'release' ? ['runs before the others on Heroku: let them depend on it with `condition: completed`'] : []

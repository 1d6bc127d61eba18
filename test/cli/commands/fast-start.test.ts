import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const source = resolve(import.meta.dirname, '../../../cli/src')

/** Everything that is loaded together with a file, as it is named there; dynamic imports are loaded later. */
const loadedWith = (file: string, seen = new Set<string>()): ReadonlySet<string> => {
  if (seen.has(file)) return seen
  seen.add(file)
  const imports = readFileSync(file, 'utf8').matchAll(/^(?:import|export) (?!type )(?:[^'"]*? from )?'([^']+)'/gm)
  for (const [, name = ''] of imports) {
    if (name.startsWith('.')) loadedWith(join(dirname(file), name), seen)
    else seen.add(name)
  }
  return seen
}

const dearModules = ['fs', 'net', 'util', 'crypto', 'child_process', 'module', 'os', 'readline', 'timers/promises']

describe('commands that only ask', () => {
  const files = (command: string) => [...loadedWith(join(source, 'commands', `${command}.ts`))]

  it.each(['status', 'inspect', 'logs', 'events', 'stop'])(
    'load nothing but Node and the control client: %s',
    (command) => {
      const packages = files(command).filter((name) => !name.startsWith('/') && !name.startsWith('node:'))
      expect(packages).toEqual(['@systemg/plugins/control/client'])
      expect(files(command)).toContain(join(source, 'client', 'connect.ts'))
    },
  )

  it.each(['status', 'inspect', 'logs', 'events', 'stop'])(
    'import no module of Node that is dear to import: %s',
    (command) => {
      const modules = [...files(command), ...loadedWith(join(source, 'main.ts'))].filter((name) => /^node:/.test(name))
      expect(modules.filter((name) => dearModules.includes(name.slice('node:'.length)))).toEqual([])
    },
  )

  it('that a first-party plugin brings load no more than those: `webhooks`', () => {
    const brought = [...loadedWith(join(source, 'plugin-commands/as-command.ts'))]
    expect(brought.filter((name) => !name.startsWith('/') && !name.startsWith('node:'))).toEqual([
      '@systemg/plugins/control/client',
    ])
    expect([...loadedWith(resolve(source, '../../plugins/src/webhooks/command.ts'))]).toHaveLength(1)
  })

  it('what `inspect` shows is drawn by one small library, and by nothing of the supervisor', () => {
    const shown = ['text', 'report'].flatMap((name) => [...loadedWith(join(source, 'inspect', `${name}.ts`))])
    expect(shown.filter((name) => !name.startsWith('/') && !name.startsWith('node:'))).toEqual(['simple-ascii-chart'])
  })

  it('the file that is run imports nothing on a Node that is new enough', () => {
    expect([...loadedWith(resolve(source, '../bin/sysg.mjs'))]).toHaveLength(1)
  })
})

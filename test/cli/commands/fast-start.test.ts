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

describe('commands that only ask', () => {
  it.each(['status', 'logs', 'events'])('load nothing but Node and the control client: %s', (command) => {
    const files = [...loadedWith(join(source, 'commands', `${command}.ts`))]
    const packages = files.filter((name) => !name.startsWith('/') && !name.startsWith('node:'))
    expect(packages).toEqual(['@systemg/plugins/control/client'])
    expect(files).toContain(join(source, 'client', 'connect.ts'))
  })
})

/** What the built `sysg` loads to bring a supervisor back: every file of it is time that nobody is supervised. */
import { readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Sandbox, until } from './sysg.ts'

const cli = resolve(import.meta.dirname, '../../cli')
const dist = join(cli, 'dist')

const textOf = (file: string): string => readFileSync(file, 'utf8')

/** A file, and what is loaded together with it; dynamic imports are loaded later, if ever. */
const loadedWith = (file: string, seen = new Set<string>()): ReadonlySet<string> => {
  if (seen.has(file)) return seen
  seen.add(file)
  for (const [, name = ''] of textOf(file).matchAll(/^(?:import|export) (?:[^'"]*? from )?['"]([^'"]+)['"]/gm)) {
    if (name.startsWith('.')) loadedWith(resolve(dirname(file), name), seen)
    else seen.add(name)
  }
  return seen
}

describe('a supervisor that comes back', () => {
  const loaded = [...loadedWith(join(dist, 'chunks/run-daemon.mjs'), new Set(loadedWith(join(dist, 'main.mjs'))))]
  const files = loaded.filter((name) => name.startsWith(cli))
  const all = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.mjs'))

  it('loads a few files', () => {
    expect(files.map((file) => relative(dist, file))).toContain('main.mjs')
    expect(files.length).toBeLessThanOrEqual(48)
  })

  it('finds everything in them, but for what Node has', () => {
    expect(loaded.filter((name) => !name.startsWith(cli) && !isBuiltin(name))).toEqual([])
  })

  it.each([
    ['the reader of YAML', 'YAMLParseError'],
    ['the reader of configs', 'cosmiconfig'],
    ['the watcher of files', 'readdirp'],
    ['the client of HTTP', 'node:http'],
  ])('leaves %s for later', (_, sign) => {
    expect(all.some((name) => textOf(join(dist, name)).includes(sign))).toBe(true)
    expect(files.filter((file) => textOf(file).includes(sign)).map((file) => relative(dist, file))).toEqual([])
  })

  it('has no language of error messages but one', () => {
    expect(files.filter((file) => textOf(file).includes('Ungültige Eingabe'))).toEqual([])
  })
})

it('what was compiled for a supervisor is on disk while it lives, since one that is killed writes nothing', async () => {
  await using box = new Sandbox()
  box.environment = { TMPDIR: box.folder }
  box.config('services: { api: { command: sleep 1000 } }')
  await box.sysg('start', '-d')
  // V8 compiles for a supervisor in another way than for a command: each has a folder of its own.
  await until(
    () => readdirSync(join(box.folder, 'node-compile-cache')).length,
    (folders) => folders === 2,
  )
  await box.sysg('stop')
})

/** What the built `sysg` loads to bring a supervisor back: every file of it is time that nobody is supervised. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join, relative, resolve } from 'node:path'
import { createInterface } from 'node:readline'
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
  const loaded = [...loadedWith(join(dist, 'supervisor/main.mjs'))]
  const files = loaded.filter((name) => name.startsWith(cli))
  const all = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.mjs'))

  it('loads one file', () => {
    expect(files.map((file) => relative(dist, file))).toEqual(['supervisor/main.mjs'])
  })

  it('finds everything in them', () => {
    expect(loaded.filter((name) => !name.startsWith(cli))).toEqual([])
  })

  it('asks modules of Node for what it uses: an import loads all that they export', () => {
    expect(all.filter((name) => /^import .*'node:[^']+';$/m.test(textOf(join(dist, name))))).toEqual([])
  })

  it.each([
    ['the whole of zod', 'constructor("ZodObject"'],
    ['languages of error messages but one', 'ltige Eingabe'],
    ['what keys may hold', 'How many services may be starting at once.'],
    ['what keys of plugins may hold', 'Which exits bring the service back'],
    ['the reader of YAML', 'YAMLParseError'],
    ['the reader of configs', 'cosmiconfig'],
    ['the watcher of files', 'readdirp'],
    ['the client of HTTP', 'node:http'],
  ])('leaves %s for later', (_, sign) => {
    expect(all.some((name) => textOf(join(dist, name)).includes(sign))).toBe(true)
    expect(files.filter((file) => textOf(file).includes(sign)).map((file) => relative(dist, file))).toEqual([])
  })
})

it('one that came back says in words what is wrong with parameters', async () => {
  await using box = new Sandbox()
  box.config('services: { api: { command: sleep 1000 } }')
  await box.sysg('start', '-d')
  const before = (await box.status()).supervisor.pid
  process.kill(before, 'SIGKILL')
  const pid = async () => (await box.status()).supervisor.pid
  await until(
    // Until it is back there is none.
    () => pid().catch(() => before),
    (now) => now !== before,
  )
  const [id = ''] = readdirSync(box.home).filter((name) => name !== 'by-config')
  const socket = connect(join(box.home, id, 'run', 'control.sock'))
  socket.write('{"jsonrpc":"2.0","id":1,"method":"stop","params":{"services":"api"}}\n')
  for await (const line of createInterface(socket)) {
    expect(line).toContain('Wrong parameters: `services`: Invalid input: expected array, received string.')
    break
  }
  socket.destroy()
  await box.sysg('stop')
})

it('what was compiled for a supervisor is on disk while it lives, since one that is killed writes nothing', async () => {
  await using box = new Sandbox()
  box.environment = { TMPDIR: box.folder }
  box.config('services: { api: { command: sleep 1000 } }')
  await box.sysg('start', '-d')
  const { supervisor } = await box.status()
  const cache = join(box.folder, 'node-compile-cache')
  rmSync(cache, { recursive: true })
  process.kill(supervisor.pid, 'SIGKILL')
  // The folder itself, and what is in it: no command runs meanwhile that could have written that.
  await until(
    () => (existsSync(cache) ? readdirSync(cache, { recursive: true }).length : 0),
    (entries) => entries > 1,
  )
  await box.sysg('stop')
})

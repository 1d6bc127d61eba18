import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { composeSchema, nearest, relativeTo, resolvePath, signal, size } from '../../../core/src/config/index.ts'
import { definePlugin } from '../../../core/src/plugin.ts'
import { restart } from './load-config.ts'

describe('composeSchema', () => {
  it('has the keys of the core and of every plugin, and knows whose they are', async () => {
    const { service, system } = await composeSchema([{ plugin: restart }])
    expect(service.get('command')?.plugin).toBe('core')
    expect(service.get('restart_policy')?.plugin).toBe('restart')
    expect(system.has('stop_timeout')).toBe(true)
    expect(system.has('services')).toBe(false)
  })

  it.each(['services', 'stop_timeout'])('refuses a plugin that claims the top-level key %s', async (key) => {
    const plugin = definePlugin({ name: 'p', system: { [key]: size } })
    await expect(composeSchema([{ plugin }])).rejects.toThrow(/both claim/)
  })
})

describe('under a strict Content-Security-Policy', () => {
  it('a config is checked without compiling code', () => {
    const config = fileURLToPath(new URL('../../../core/src/config/index.ts', import.meta.url))
    const script = `
      let probes = 0
      globalThis.Function = new Proxy(Function, { construct() { probes += 1; throw new EvalError('CSP') }, apply() { probes += 1; throw new EvalError('CSP') } })
      const { parseYaml, resolveConfig } = await import(${JSON.stringify(config)})
      const readText = async () => undefined
      const parsed = await parseYaml({ text: 'services: {a: {command: x, replicas: many}}', file: '/a.yaml', readText })
      const { problems } = await resolveConfig({ ...parsed, file: '/a.yaml', folder: '/', plugins: [], env: {}, readText, projectDefault: { id: 'a', name: 'a' } })
      process.stdout.write(problems.length + ' ' + probes)`
    const flags = [
      '--disallow-code-generation-from-strings',
      '--conditions=systemg-source',
      '--input-type=module',
      '-e',
      script,
    ]
    expect(execFileSync(process.execPath, flags, { encoding: 'utf8' })).toBe('1 0')
  })
})

describe('nearest', () => {
  it.each([
    ['restart-policy', 'restart_policy'],
    ['restartPolicy', 'restart_policy'],
    ['RESTART_POLICY', 'restart_policy'],
    ['comand', 'command'],
    ['commnad', 'command'],
    ['depends', 'depends_on'],
    ['service_started', 'started'],
    ['xyzzy', undefined],
    ['', undefined],
    ['a', undefined],
  ])('finds for %j %j', (name, found) => {
    expect(nearest(name, ['command', 'depends_on', 'restart_policy', 'started', 'env', 'b'])).toBe(found)
  })

  it('prefers the closest', () => {
    expect(nearest('cach', ['cash', 'cache', 'each'])).toBe('cash')
    expect(nearest('cache1', ['cash', 'cache'])).toBe('cache')
  })
})

describe('signal', () => {
  it.each(['SIGTERM', 'TERM', 'sigterm', ' term '])('reads %j as SIGTERM', (text) => {
    expect(signal.parse(text)).toBe('SIGTERM')
  })
})

describe('paths', () => {
  it.each([
    ['/app', 'x', '/app/x'],
    ['/app', './a/../b/', '/app/b'],
    ['/app', '../../..', '/'],
    ['/app', '/etc//x', '/etc/x'],
    ['.', 'x', 'x'],
    ['a/b', '../../../x', '../x'],
  ])('resolve, from %s, %s as %s', (folder, path, resolved) => {
    expect(resolvePath(folder, path)).toBe(resolved)
  })

  it('are shown relative to a folder only when they are inside of it', () => {
    expect(relativeTo('/app', '/app/x.yaml')).toBe('x.yaml')
    expect(relativeTo('/app', '/apple/x.yaml')).toBe('/apple/x.yaml')
  })
})

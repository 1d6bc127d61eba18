import { createRequire } from 'node:module'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { command } from '../../../cli/src/commands/plugins.ts'
import { version } from '../../../cli/src/version.ts'
import { runCommand } from '../config/run-command.ts'
import { tempFolder } from '../config/temp-folder.ts'

const canary = {
  'node_modules/systemg-plugin-canary/package.json': JSON.stringify({
    ...{ name: 'systemg-plugin-canary', version: '1.2.3', type: 'module', main: 'dist/index.js' },
  }),
  'node_modules/systemg-plugin-canary/dist/package.json': '{"type":"module"}',
  'node_modules/systemg-plugin-canary/dist/index.js': `export default {
    name: 'canary',
    setup: ({ hooks, registerMethod }) => {
      hooks.event.tap('canary', () => undefined)
      registerMethod('canary.sing', () => 'la')
    },
  }`,
  'own.mjs': `export default { name: 'own', version: '7', setup: ({ system }) => system.view() }`,
}

const listed = async (folder: string) => {
  const { out, code } = await runCommand(command, { cwd: folder, globals: { json: true } })
  const { plugins } = JSON.parse(out) as { plugins: readonly { readonly name: string }[] }
  return { plugins, code, of: (name: string) => plugins.find((plugin) => plugin.name === name) }
}

describe('plugins', () => {
  it('of a config are listed with where they come from, their version, keys and hooks', async () => {
    const folder = tempFolder({ ...canary, 'systemg.yaml': 'plugins: [canary, ./own.mjs]\nservices: {}\n' })
    const { of, code } = await listed(folder)
    expect(code).toBe(0)
    expect(of('restart')).toMatchObject({
      ...{ version, origin: { kind: 'first-party' }, options: [], hooks: ['retry'], failure: null },
      keys: { service: ['restart_policy', 'backoff', 'max_restarts', 'reset_after'], system: [] },
    })
    expect(of('metrics')).toMatchObject({ metrics: expect.arrayContaining(['systemg_service_up']) as unknown })
    expect(of('health')).toMatchObject({ probes: ['url', 'tcp', 'command', 'log', 'notify'], sinks: ['health'] })
    expect(of('canary')).toMatchObject({
      version: '1.2.3',
      origin: {
        ...{ kind: 'package', name: 'systemg-plugin-canary', version: '1.2.3' },
        file: join(folder, 'node_modules/systemg-plugin-canary/dist/index.js'),
      },
      ...{ hooks: ['event'], methods: ['canary.sing'], keys: { service: [], system: [] } },
    })
  })

  it('that ask the system before it is there are listed, and say what is wrong', async () => {
    const folder = tempFolder({ ...canary, 'systemg.yaml': 'plugins: [./own.mjs]\nservices: {}\n' })
    expect((await listed(folder)).of('own')).toMatchObject({
      ...{ version: '7', origin: { kind: 'path', file: join(folder, 'own.mjs') } },
      failure: expect.stringContaining('`system.view` is not there before `boot`') as string,
    })
  })

  it('that stand in code are `inline`, with their options', async () => {
    const folder = tempFolder({
      'sysg.config.mjs': `
        export default { plugins: [{ name: 'mine', setup: ({ hooks }) => hooks.view.tap('mine', (view) => view) }], services: {} }`,
    })
    expect((await listed(folder)).of('mine')).toMatchObject({
      ...{ version: null, origin: { kind: 'inline' }, hooks: ['view'] },
    })
  })

  it('have options whose names are told, and whose values are not', async () => {
    const zod = createRequire(new URL('../../../core/package.json', import.meta.url)).resolve('zod')
    const folder = tempFolder({
      'redis.mjs': `
        import { z } from '${zod}'
        export default { name: 'redis', options: z.strictObject({ password: z.string() }) }`,
      'systemg.yaml': 'plugins: [{ use: ./redis.mjs, password: hunter2 }]\nservices: {}\n',
    })
    const { out } = await runCommand(command, { cwd: folder, globals: { json: true } })
    expect(JSON.parse(out)).toMatchObject({
      plugins: expect.arrayContaining([expect.objectContaining({ name: 'redis', options: ['password'] })]) as object,
    })
    expect(out).not.toContain('hunter2')
  })

  it('are a table for people, each on one line where nobody looks', async () => {
    const folder = tempFolder({ ...canary, 'systemg.yaml': 'plugins: [canary]\nservices: {}\n' })
    const { out } = await runCommand(command, { cwd: folder })
    const lines = out.trimEnd().split('\n')
    expect(lines[0]).toMatch(/^NAME +VERSION +FROM +KEYS +COMMANDS +HOOKS$/)
    expect(lines.find((line) => line.startsWith('canary'))).toMatch(/^canary +1\.2\.3 +systemg-plugin-canary +event$/)
    expect(lines.find((line) => line.startsWith('restart'))).toMatch(
      /^restart +\S+ +first-party +restart_policy, backoff, max_restarts, reset_after +retry$/,
    )
  })

  it('are listed with the commands that they bring and the hooks that they offer to others', async () => {
    const hook = "{ kind: 'sync bail', description: 'Whether.', onError: 'fail' }"
    const folder = tempFolder({
      'judge.mjs': `export default { name: 'judge', hooks: { 'judge:verdict': ${hook} },
        commands: { judge: { description: 'Judge', run() {} }, 'judge-all': { description: 'Judge all', run() {} } } }`,
      'harsh.mjs': `export default { name: 'harsh', setup({ hookOf }) {
        hookOf('judge:verdict').tap('harsh', () => 'no')
        hookOf('other:verdict').tap('harsh', () => 'no')
      } }`,
      'systemg.yaml': 'plugins: [./harsh.mjs, ./judge.mjs]\nservices: {}\n',
    })
    const { of } = await listed(folder)
    expect(of('judge')).toMatchObject({ commands: ['judge', 'judge-all'], offers: ['judge:verdict'], hooks: [] })
    expect(of('harsh')).toMatchObject({
      ...{ commands: [], offers: [], failure: null },
      ...{ hooks: ['judge:verdict', 'other:verdict'], unoffered: ['other:verdict'] },
    })
    expect(of('webhooks')).toMatchObject({ commands: ['webhooks'] })
    const lines = (await runCommand(command, { cwd: folder })).out.split('\n')
    expect(lines.find((line) => line.startsWith('judge'))).toMatch(/ judge, judge-all +offers judge:verdict$/)
    expect(lines.find((line) => line.startsWith('harsh'))).toMatch(
      / judge:verdict, other:verdict \(no plugin here offers it\)$/,
    )
  })

  it('of systemg are listed where there is no config, and each taps something', async () => {
    const { plugins, code } = await listed(tempFolder({}))
    expect(code).toBe(0)
    expect(plugins.map(({ name }) => name)).toContain('control')
    for (const plugin of plugins)
      expect(plugin, plugin.name).toMatchObject({ failure: null, origin: { kind: 'first-party' } })
  })

  it('that can not be loaded are told besides those that can, with exit code 5', async () => {
    const folder = tempFolder({ 'systemg.yaml': 'plugins: [nobody-has-this]\nservices: { a: { commandd: x } }\n' })
    const { code, out, err } = await runCommand(command, { cwd: folder })
    expect(code).toBe(5)
    expect(out).toContain('restart')
    expect(err).toContain('SYSG_PLUGIN_NOT_FOUND')
    // Another mistake of the config is for `validate`.
    expect(err).not.toContain('commandd')
  })

  it('of a config that was named and is not there are an error', async () => {
    const { code, err } = await runCommand(command, { cwd: tempFolder({}), globals: { config: 'gone.yaml' } })
    expect([code, err.split('\n').at(-1)]).toEqual([5, 'SYSG_CONFIG_UNREADABLE'])
  })
})

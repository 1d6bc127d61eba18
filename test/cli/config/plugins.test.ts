import { createRequire } from 'node:module'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadAllInNode, loadInNode, type LoadedInNode } from './load-in-node.ts'
import { tempFolder } from './temp-folder.ts'

const zod = createRequire(new URL('../../../core/package.json', import.meta.url)).resolve('zod')

const redis = `
import { definePlugin } from '@systemg/core'
import { z } from '${zod}'
export default definePlugin({
  name: 'redis',
  options: z.strictObject({ port: z.number().default(6379), host: z.string() }),
  service: { redis: z.string().optional() },
})`

const config = (entry: string, service = 'command: x'): string =>
  `services: { a: { ${service} } }\nplugins:\n  - ${entry}\n`

const mistakes: readonly (readonly [what: string, entry: string, place: string, text: RegExp])[] = [
  ['is not installed', 'nobody-has-this', '3:5 SYSG_PLUGIN_NOT_FOUND', /npm install systemg-plugin-nobody-has-this/],
  ['is misspelt', 'canry', '3:5 SYSG_PLUGIN_NOT_FOUND', /Did you mean `canary`/],
  ['is part of systemg', 'restart', '3:5 SYSG_PLUGIN_NOT_FOUND', /always there: remove it/],
  ['is a path without a dot', 'redis.ts', '3:5 SYSG_PLUGIN_NOT_FOUND', /`.\/redis.ts`/],
  ['is a misspelt path', './rediss.ts', '3:5 SYSG_PLUGIN_NOT_FOUND', /Did you mean `redis.ts`/],
  ['is a folder', './folder', '3:5 SYSG_PLUGIN_INVALID', /`folder\/index.ts`/],
  ['is no plugin', './nothing.ts', '3:5 SYSG_PLUGIN_INVALID', /it is not what `definePlugin` gives/],
  ['exports nothing', './empty.ts', '3:5 SYSG_PLUGIN_INVALID', /no default export/],
  ['is a function', './function.ts', '3:5 SYSG_PLUGIN_INVALID', /it is a function/],
  ['has no name', './nameless.ts', '3:5 SYSG_PLUGIN_INVALID', /no `name`/],
  ['has a key without a schema', './schemaless.ts', '3:5 SYSG_PLUGIN_INVALID', /key `redis` is no zod 4 schema/],
  ['loads what is no schema', './no-schemas.ts', '3:5 SYSG_PLUGIN_INVALID', /key `redis` is no zod 4 schema/],
  ['cannot load its schemas', './lost-schemas.ts', '3:5 SYSG_PLUGIN_INVALID', /`schemas` can't be loaded: no file/],
  [
    'has a wrong option of a schema that it loads',
    '{ use: ./late.ts, host: 1 }',
    '3:29 SYSG_PLUGIN_OPTIONS',
    /`late.host` must be text/,
  ],
  ['was made for another API', './old.ts', '3:5 SYSG_PLUGIN_API', /plugin API 7/],
  ['claims a key of another', './thief.ts', '3:5 SYSG_PLUGIN_KEY_TAKEN', /both claim the service key `restart_policy`/],
  ['has the name of another', './twin.ts', '3:5 SYSG_PLUGIN_DUPLICATE', /Two plugins are called `restart`/],
  ['is no data', '{ name: redis }', '3:5 SYSG_PLUGIN_INVALID', /the entry has no `use`/],
  ['lacks an option', '{ use: ./redis.ts }', '3:5 SYSG_PLUGIN_OPTIONS', /`redis` has no `host`/],
  [
    'has a wrong option',
    '{ use: ./redis.ts, host: h, port: many }',
    '3:39 SYSG_PLUGIN_OPTIONS',
    /`redis.port` must be a number/,
  ],
  ['has a misspelt option', '{ use: ./redis.ts, host: h, prot: 1 }', '3:33 SYSG_PLUGIN_OPTIONS', /Did you mean `port`/],
  ['takes no options', '{ use: canary, weight: 1 }', '3:20 SYSG_PLUGIN_OPTIONS', /takes none/],
  [
    'has an undefined variable',
    '{ use: ./redis.ts, host: "${NOPE}" }',
    '3:31 SYSG_CONFIG_VARIABLE_UNDEFINED',
    /`NOPE` is not set/,
  ],
  ['throws', './throws.ts', 'throws.ts:2:7 SYSG_PLUGIN_INVALID', /Plugin `.\/throws.ts` failed: no licence/],
  ['has an enum', './enum.ts', 'enum.ts:1:1 SYSG_CONFIG_TS_SYNTAX', /TypeScript enum/],
  ['ships TypeScript only', 'only-ts', '3:5 SYSG_CONFIG_TS_SYNTAX', /a package must ship JavaScript/],
  ['is turned off by no boolean', '{ use: cron, enabled: nope }', '3:27 SYSG_PLUGIN_OPTIONS', /must be true or false/],
  ['cannot be done without', '{ use: control, enabled: false }', '3:30 SYSG_PLUGIN_OPTIONS', /no command could reach/],
  ['brings a command of ours', './shadow.ts', '3:5 SYSG_PLUGIN_COMMAND', /command `status`: systemg has one/],
  [
    'brings a command that another has',
    './one.ts\n  - ./two.ts',
    '4:5 SYSG_REGISTRY_TAKEN',
    /Plugins `one` and `two` both register the command `ask`/,
  ],
  [
    'brings a command that is no word',
    './words.ts',
    '3:5 SYSG_PLUGIN_COMMAND',
    /command `ask me`: a name is lowercase/,
  ],
  ['brings a command without words', './wordless.ts', '3:5 SYSG_PLUGIN_INVALID', /command `ask` has no `description`/],
  ['brings a command that does nothing', './idle.ts', '3:5 SYSG_PLUGIN_INVALID', /command `ask` has no function `run`/],
  ['has an option of ours', './config.ts', '3:5 SYSG_PLUGIN_INVALID', /option `--config`, which every command has/],
  ['has an option without a schema', './arg.ts', '3:5 SYSG_PLUGIN_INVALID', /option `--all` whose schema is no zod 4/],
  ['offers a hook of another', './hook.ts', '3:5 SYSG_PLUGIN_HOOK', /hook `b:ask`: a name is `hook:` and one word/],
  ['offers a hook without words', './silent.ts', '3:5 SYSG_PLUGIN_INVALID', /hook `silent:ask` has no `description`/],
  ['is a module of Node', 'node:fs', '3:5 SYSG_PLUGIN_INVALID', /module of Node/],
]

const command = (name: string, given: string) => `export default { name: '${name}', commands: ${given} }`
const ask = "{ ask: { description: 'Ask', run() {} } }"

const neighbours = {
  'shadow.ts': command('shadow', ask.replace('ask', 'status')),
  'one.ts': command('one', ask),
  'two.ts': command('two', ask),
  'words.ts': command('words', ask.replace('ask', "'ask me'")),
  'wordless.ts': command('wordless', '{ ask: { run() {} } }'),
  'idle.ts': command('idle', "{ ask: { description: 'Ask' } }"),
  'config.ts': `import { z } from '${zod}'
    ${command('config', "{ ask: { description: 'Ask', args: { config: z.string() }, run() {} } }")}`,
  'arg.ts': command('arg', "{ ask: { description: 'Ask', args: { all: 'boolean' }, run() {} } }"),
  'hook.ts': `export default { name: 'hook', hooks: { 'b:ask': { kind: 'sync bail', description: 'x', onError: 'fail' } } }`,
  'silent.ts': `export default { name: 'silent', hooks: { 'silent:ask': { kind: 'sync bail', onError: 'fail' } } }`,
  'redis.ts': redis,
  'folder/index.ts': '',
  'nothing.ts': 'export default 1',
  'empty.ts': 'export {}',
  'function.ts': 'export default () => ({ name: "f" })',
  'nameless.ts': 'export default { setup() {} }',
  'schemaless.ts': 'export default { name: "s", service: { redis: "text" } }',
  'no-schemas.ts': 'export default { name: "n", schemas: async () => ({ service: { redis: "text" } }) }',
  'lost-schemas.ts': 'export default { name: "l", schemas: () => Promise.reject(new Error("no file")) }',
  'late.ts': 'export default { name: "late", schemas: () => import("./late-schemas.ts") }',
  'late-schemas.ts': `import { z } from '${zod}'\nexport const options = z.strictObject({ host: z.string() })`,
  'old.ts': 'export default { name: "old", api: 7 }',
  'thief.ts': `import { z } from '${zod}'\nexport default { name: 'thief', service: { restart_policy: z.string() } }`,
  'twin.ts': 'export default { name: "restart" }',
  'throws.ts': 'export default {}\nthrow new Error("no licence")',
  'enum.ts': 'enum Color { Red }\nexport default { name: "e" }',
  'node_modules/systemg-plugin-canary/package.json': '{"type":"module","main":"index.js"}',
  'node_modules/systemg-plugin-canary/index.js': 'export default { name: "canary" }',
  'node_modules/only-ts/package.json': '{"type":"module","main":"index.ts"}',
  'node_modules/only-ts/index.ts': 'export default { name: "t" as string }',
}

describe('plugins of a config', { timeout: 30_000 }, () => {
  it('are loaded by path, get their options, and their keys are known', async () => {
    const folder = tempFolder({
      'systemg.yaml': config('{ use: ./redis.ts, host: "${HOST}" }', 'command: x, redis: cache'),
      'redis.ts': redis,
    })
    const { system, problems, plugins, code, variables } = await loadInNode(folder, { env: { HOST: 'localhost' } })
    expect(problems).toEqual([])
    expect(system?.services['a']).toMatchObject({ redis: 'cache' })
    expect(plugins.find(({ name }) => name === 'redis')).toEqual({
      name: 'redis',
      options: { port: 6379, host: 'localhost' },
    })
    expect(code).toContain(join(folder, 'redis.ts'))
    expect(variables).toContain('HOST')
  })

  it('are loaded by the name of a package, its short name too, also when it only exports for `import`', async () => {
    const packaged = {
      'node_modules/systemg-plugin-canary/package.json': JSON.stringify({
        type: 'module',
        exports: { '.': { import: './canary.js' } },
      }),
      'node_modules/systemg-plugin-canary/canary.js': `export const canary = { name: 'canary' }`,
    }
    for (const name of ['systemg-plugin-canary', 'canary']) {
      const { problems, plugins } = await loadInNode(tempFolder({ ...packaged, 'systemg.yaml': config(name) }))
      expect(problems).toEqual([])
      expect(plugins.map((plugin) => plugin.name)).toContain('canary')
    }
  })

  it('can be objects in TypeScript, with their required options checked', async () => {
    const folder = tempFolder({
      'redis.ts': redis,
      'sysg.config.ts': `
        import redis from './redis.ts'
        export default { plugins: [redis], services: { a: { command: 'x' } } }`,
      'with.ts': `
        import redis from './redis.ts'
        export default { plugins: [{ use: redis, host: 'h' }], services: { a: { command: 'x' } } }`,
    })
    const without = await loadInNode(folder)
    expect(without.problems).toMatchObject([{ code: 'SYSG_PLUGIN_OPTIONS', path: ['plugins', 0, 'host'], line: 3 }])
    const { problems, plugins } = await loadInNode(folder, { config: 'with.ts' })
    expect(problems).toEqual([])
    expect(plugins.at(-1)).toEqual({ name: 'redis', options: { port: 6379, host: 'h' } })
  })

  it('may be CommonJS: `module.exports`, a named export, or a default that a compiler made', async () => {
    for (const text of [
      `module.exports = { name: 'common' }`,
      `exports.common = { name: 'common' }`,
      `Object.defineProperty(exports, '__esModule', { value: true }); exports.default = { name: 'common' }`,
    ]) {
      const folder = tempFolder({
        'systemg.yaml': config('systemg-plugin-common'),
        'node_modules/systemg-plugin-common/package.json': '{"main":"index.js"}',
        'node_modules/systemg-plugin-common/index.js': text,
      })
      const { problems, plugins } = await loadInNode(folder)
      expect(problems).toEqual([])
      expect(plugins.map(({ name }) => name)).toContain('common')
    }
  })

  it('may have keys that depend on what others bring, as those of systemg may', async () => {
    const folder = tempFolder({
      'systemg.yaml': config('./late.ts', 'command: x, late: yes'),
      'late.ts': `import { z } from '${zod}'
        export default { name: 'late', service: ({ probes }) => ({ late: z.string().optional() }) }`,
    })
    expect((await loadInNode(folder)).problems).toEqual([])
  })

  it('can be turned off, first-party ones too: then their keys are free', async () => {
    const folder = tempFolder({
      'systemg.yaml': `plugins:
  - ./cron.ts
  - { use: cron, enabled: false }
  - { use: not-installed, enabled: false }
services: { a: { command: x, cron: often } }`,
      'cron.ts': `import { z } from '${zod}'
        export default { name: 'cron', service: { cron: z.enum(['often', 'seldom']).optional() } }`,
    })
    const { problems, plugins, system } = await loadInNode(folder)
    expect(problems).toEqual([])
    expect(plugins.filter(({ name }) => name === 'cron')).toHaveLength(1)
    expect(system?.services['a']).toMatchObject({ cron: 'often' })
  })

  it('can be turned on by `enabled` as well, which is no option of theirs', async () => {
    const folder = tempFolder({
      'systemg.yaml': config('{ use: ./redis.ts, enabled: true, host: h }'),
      'redis.ts': redis,
    })
    const { problems, plugins } = await loadInNode(folder)
    expect(problems).toEqual([])
    expect(plugins.at(-1)).toEqual({ name: 'redis', options: { port: 6379, host: 'h' } })
  })

  it('that are missing excuse keys that nobody knows, but not misspelt ones', async () => {
    const folder = tempFolder({
      'systemg.yaml':
        'frobnicate: 1\nplugins: [nobody-has-this]\nservices: { a: { command: x, wobble: 1, replcas: 2 } }',
    })
    expect((await loadInNode(folder)).places).toEqual([
      'systemg.yaml:2:11 SYSG_PLUGIN_NOT_FOUND',
      'systemg.yaml:3:41 SYSG_CONFIG_KEY_UNKNOWN',
    ])
  })
})

describe('a plugin of a config', () => {
  let loaded: readonly LoadedInNode[]
  beforeAll(async () => {
    const folders = mistakes.map(([, entry]) => tempFolder({ ...neighbours, 'systemg.yaml': config(entry) }))
    loaded = await loadAllInNode(folders.map((cwd) => ({ cwd })))
  }, 60_000)

  it.each(mistakes.map(([what, , place, text], index) => ({ what, place, text, index })))(
    'is a mistake with a place when it $what',
    ({ place, text, index }) => {
      const { places, problems, system } = loaded[index] ?? {}
      expect(places).toEqual([/^\d/.test(place) ? `systemg.yaml:${place}` : place])
      expect(`${problems?.[0]?.message ?? ''} ${problems?.[0]?.hint ?? ''}`).toMatch(text)
      expect(system).toBeUndefined()
    },
  )
})

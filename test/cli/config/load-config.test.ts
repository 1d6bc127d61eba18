import { chmodSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../../cli/src/config/load-config.ts'
import { firstPartyPlugins } from '../../../cli/src/first-party.ts'
import { loadAllInNode, loadInNode } from './load-in-node.ts'
import { tempFolder } from './temp-folder.ts'

const load = (cwd: string, options: { config?: string; env?: Readonly<Record<string, string>> } = {}) =>
  loadConfig({ cwd, env: {}, firstParty: firstPartyPlugins(), ...options })

const yaml = `services:
  db:
    command: postgres -D data
    stop_signal: SIGINT
  my.api:
    exec: [./api, --port, "80"]
    depends_on: { db: { condition: started } }
    stop_timeout: 1m30s
    restart_policy: always
    env: { vars: { A: "1" } }`

const typescript = `import { defineConfig } from 'systemg'
interface Port { port: number }
const { port }: Port = { port: 80 }
export default defineConfig({
  services: {
    db: { command: 'postgres -D data', stop_signal: 'SIGINT' },
    'my.api': {
      exec: ['./api', '--port', String(port)],
      depends_on: { db: { condition: 'started' } },
      stop_timeout: '1m30s',
      restart_policy: 'always',
      env: { vars: { A: '1' } },
    },
  },
})`

describe('the formats', { timeout: 30_000 }, () => {
  it('give the same system, whether it is written in YAML, TypeScript or JavaScript, or made by a function', async () => {
    const javascript = typescript.replace('interface Port { port: number }', '').replace(': Port', '')
    const configs = {
      'systemg.yaml': yaml,
      'sysg.config.ts': typescript,
      'sysg.config.mjs': javascript,
      'function.ts': typescript.replace('defineConfig({', '() => ({'),
      'async.ts': typescript.replace('defineConfig({', 'async () => ({'),
      'promise.ts': typescript.replace('defineConfig({', 'Promise.resolve({'),
      'sysg.config.cjs': javascript
        .replace(/^import.*/, '')
        .replace('export default defineConfig(', 'module.exports = ('),
    }
    const folder = tempFolder(configs)
    const loaded = await loadAllInNode(Object.keys(configs).map((config) => ({ cwd: folder, config })))
    const [first] = loaded
    expect(first?.system?.services['my.api']?.stop_timeout).toBe(90_000)
    expect(first?.stderr).toBe('')
    for (const { system, problems } of loaded) {
      expect(problems).toEqual([])
      expect(system).toEqual(first?.system)
    }
  })

  it('include the key `sysg` of package.json, and tell the place of a mistake there', async () => {
    const sound = tempFolder({
      'package.json': JSON.stringify({ name: 'x', sysg: { services: { a: { command: 'x' } } } }),
    })
    expect((await load(sound)).system?.services['a']?.argv).toEqual(['x'])
    const folder = tempFolder({
      'package.json': '{\n  "name": "x",\n  "sysg": {\n    "services": { "a": { "comand": "x" } }\n  }\n}',
    })
    const { problems } = await load(folder)
    expect(problems[0]).toMatchObject({ code: 'SYSG_CONFIG_KEY_UNKNOWN', line: 4, column: 26 })
  })

  it('tell where package.json is no JSON, and when it has no config', async () => {
    const folder = tempFolder({ 'package.json': '{\n  "sysg": {,}\n}', 'other/package.json': '{}' })
    const broken = await load(folder, { config: 'package.json' })
    expect(broken.problems).toMatchObject([{ code: 'SYSG_CONFIG_FAILED', line: 2, column: 12 }])
    const without = await load(folder, { config: 'other/package.json' })
    expect(without.problems).toMatchObject([
      { code: 'SYSG_CONFIG_FAILED', message: 'This package.json has no key `sysg`.' },
    ])
    expect(without.system).toBeUndefined()
  })

  it('find an empty file empty, at its beginning', async () => {
    const folder = tempFolder({ 'systemg.yaml': '' })
    const { problems } = await load(folder)
    expect(problems).toMatchObject([{ code: 'SYSG_CONFIG_EMPTY', line: 1, column: 1 }])
  })

  it('take a file of any other name for YAML', async () => {
    const folder = tempFolder({ 'shop.conf': yaml, 'shop.json': '{"services":{"a":{"command":"x"}}}', shop: yaml })
    for (const config of ['shop.conf', 'shop.json', 'shop']) {
      expect((await load(folder, { config })).system).toBeDefined()
    }
  })
})

describe('finding', { timeout: 30_000 }, () => {
  it('warns of a second config in the folder', async () => {
    const folder = tempFolder({ 'systemg.yaml': yaml, 'sysg.yml': yaml })
    const { file, warnings } = await load(folder)
    expect(file).toBe(join(folder, 'systemg.yaml'))
    expect(warnings).toEqual([`${folder} has two configs: systemg.yaml is used, sysg.yml is not.`])
  })

  it('refuses a config above the folder that the group can write, unless it is named', async () => {
    const folder = tempFolder({ 'systemg.yaml': yaml, 'a/b/file': '' })
    const cwd = join(folder, 'a/b')
    expect((await load(cwd)).folder).toBe(folder)
    chmodSync(join(folder, 'systemg.yaml'), 0o664)
    await expect(load(cwd)).rejects.toMatchObject({ code: 'SYSG_CONFIG_UNTRUSTED' })
    expect((await load(cwd, { config: '../../systemg.yaml' })).system).toBeDefined()
    expect((await load(folder)).system).toBeDefined()
  })

  it('takes paths from the folder of the real file when the config is a link', async () => {
    const folder = tempFolder({ 'real/systemg.yaml': 'services: { a: { command: x } }' })
    symlinkSync(join(folder, 'real/systemg.yaml'), join(folder, 'systemg.yaml'))
    const loaded = await load(folder)
    expect(loaded.system?.services['a']?.working_dir).toBe(join(folder, 'real'))
  })

  it('says when a config is a folder', async () => {
    const folder = tempFolder()
    mkdirSync(join(folder, 'systemg.yaml'))
    await expect(load(folder, { config: 'systemg.yaml' })).rejects.toMatchObject({ code: 'SYSG_CONFIG_UNREADABLE' })
  })

  it('runs nothing that other tools keep in the working directory, and does not mind their mistakes', async () => {
    const config = tempFolder({ 'systemg.yaml': yaml })
    const trap = tempFolder({ '.config/config.js': `require('node:fs').writeFileSync('caught', '')` })
    const broken = tempFolder({ 'package.json': '{ broken' })
    for (const cwd of [trap, broken]) {
      const { system } = await loadInNode(cwd, { config: join(config, 'systemg.yaml') })
      expect(system).toBeDefined()
    }
    expect(() => readFileSync(join(trap, 'caught'))).toThrow('ENOENT')
  })
})

describe('what a config was made of', () => {
  it('names every file: the config, what it includes, and files of variables', async () => {
    const folder = tempFolder({
      'systemg.yaml': 'env: { file: .env }\nservices: !include services.yaml',
      'services.yaml': 'a: { command: "./a ${NAME}" }\nb: { command: "./b ${PORT:-80} ${HOME}" }',
      '.env': 'NAME=x',
    })
    const { files, code, system, variables } = await load(folder, { env: { HOME: '/home/me' } })
    expect(files.map((file) => file.replace(`${folder}/`, '')).sort()).toEqual([
      '.env',
      'services.yaml',
      'systemg.yaml',
    ])
    expect(code).toEqual([])
    expect(variables).toEqual(['HOME', 'NAME', 'PORT'])
    expect(system?.services['a']?.command).toBe('./a x')
    expect(system?.services['b']?.command).toBe('./b 80 /home/me')
  })

  it('keeps the text of included files, so that mistakes in them can be shown', async () => {
    const folder = tempFolder({ 'systemg.yaml': 'services: !include more.yaml', 'more.yaml': 'a: { comand: x }' })
    const { problems, sources } = await load(folder)
    expect(problems[0]?.file).toBe(join(folder, 'more.yaml'))
    expect(sources.get(join(folder, 'more.yaml'))).toBe('a: { comand: x }')
  })

  it('sees changed data when it is loaded again', async () => {
    const folder = tempFolder({ 'systemg.yaml': yaml })
    expect(Object.keys((await load(folder)).system?.services ?? {})).toEqual(['db', 'my.api'])
    const { writeFileSync } = await import('node:fs')
    writeFileSync(join(folder, 'systemg.yaml'), 'services: { other: { command: x } }')
    expect(Object.keys((await load(folder)).system?.services ?? {})).toEqual(['other'])
  })
})

/** What is published works for somebody who has nothing else: no repository, no sources, no step that the docs do not name. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EmptyProject, ourPackages, pack, repository, tarballFolder, type Packed } from './packages.ts'
import { until } from './sysg.ts'

let tarballs: string
let packed: readonly Packed[]
let project: EmptyProject

beforeAll(async () => {
  tarballs = tarballFolder({ inTest: false })
  packed = await Promise.all(ourPackages.map((name) => pack(join(repository, name), tarballs)))
  const plugin = await pack(pluginFolder(tarballs), tarballs)
  project = await EmptyProject.create(
    [...packed, plugin].map(({ file }) => file),
    { inTest: false },
  )
})

afterAll(async () => {
  await project[Symbol.asyncDispose]()
  rmSync(tarballs, { recursive: true, force: true })
})

const filesOf = (name: string): readonly string[] => packed.find((one) => one.name === name)?.files ?? []

describe.each(['@systemg/core', '@systemg/plugins', 'systemg'])('the package %s', (name) => {
  it('has a readme, a licence, what was built, and nothing else', () => {
    const others = filesOf(name).filter((path) => !/^dist\/.*\.(?:mjs|d\.mts)$/.test(path))
    const ofBundle = name === 'systemg' ? ['bin/sysg.mjs', 'dist/licences.txt'] : []
    expect([...others].sort()).toEqual(['LICENSE', 'README.md', ...ofBundle, 'package.json'])
  })

  it('has every file that it names, and names every file that it has', () => {
    const reached = new Set<string>()
    const visit = (path: string): void => {
      if (reached.has(path)) return
      reached.add(path)
      expect(filesOf(name)).toContain(path)
      const text = project.installed(`${name}/${path}`)
      for (const [, specifier = ''] of text.matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+\.mjs)['"]/g)) {
        const named = posix.join(posix.dirname(path), specifier)
        // Declarations name each other as the modules that they describe.
        visit(path.endsWith('.d.mts') ? named.replace(/\.mjs$/, '.d.mts') : named)
      }
    }
    for (const entry of entriesOf(JSON.parse(project.installed(`${name}/package.json`)) as Manifest)) visit(entry)
    expect(filesOf(name).filter((path) => /^dist\/.*\.mjs$|\.d\.mts$/.test(path) && !reached.has(path))).toEqual([])
  })

  it('is small', () => {
    // `sysg` is two bundles, one for commands and one for a supervisor, with what each uses of the others.
    const limit = (name === 'systemg' ? 5 : 1) * 1024 * 1024
    expect(packed.find((one) => one.name === name)?.unpackedSize).toBeLessThan(limit)
  })
})

it('the bundle goes with the licences of what it holds', () => {
  const text = project.installed('systemg/dist/licences.txt')
  for (const name of ['zod', 'tapable', 'croner', 'yaml'])
    expect(text).toMatch(new RegExp(`^${name} [0-9.]+ \\((MIT|ISC)\\)$`, 'm'))
})

interface Manifest {
  readonly bin?: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
}

const entriesOf = ({ bin = {}, exports }: Manifest): readonly string[] =>
  [
    ...Object.values(bin),
    ...Object.values(exports).flatMap((entry) => (typeof entry === 'string' ? [] : [entry.types, entry.default])),
  ].map((path) => posix.normalize(path))

/** A package of somebody else: plain JavaScript and its types, `@systemg/core` as its peer. */
const pluginFolder = (parent: string): string => {
  const folder = join(parent, 'systemg-plugin-colour')
  mkdirSync(folder)
  const manifest = {
    name: 'systemg-plugin-colour',
    version: '1.0.0',
    type: 'module',
    exports: { types: './index.d.ts', default: './index.js' },
    peerDependencies: { '@systemg/core': '^0.1.0' },
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  writeFileSync(
    join(folder, 'index.js'),
    `import { definePlugin, z } from '@systemg/core'
    const colour = z.enum(['red', 'green']).optional().describe('How the service looks.')
    export default definePlugin({ name: 'colour', service: { colour } })`,
  )
  writeFileSync(
    join(folder, 'index.d.ts'),
    `import { type Plugin } from '@systemg/core'
    declare module '@systemg/core' {
      interface ServiceConfig {
        /** How the service looks. */
        colour?: 'red' | 'green'
      }
    }
    declare const plugin: Plugin
    export default plugin`,
  )
  return folder
}

const config = `
import { defineConfig, definePlugin } from 'systemg'
import colour from 'systemg-plugin-colour'

const answer = definePlugin({
  name: 'answer',
  setup({ hooks }) {
    hooks.prepare.tap('answer', (spec) => ({ ...spec, env: { ...spec.env, ANSWER: '42' } }))
  },
})

export default defineConfig({
  plugins: [colour, answer],
  services: { api: { command: 'echo "the answer is $ANSWER"; exec sleep 1000', colour: 'red' } },
})`

/** Each line is a mistake that the compiler must find, or one of a good config that it must not. */
const typed = `
import { defineConfig, definePlugin } from 'systemg'
import colour from 'systemg-plugin-colour'

const plugins = [colour, 'systemg-plugin-other', './mine.ts', { use: 'systemg-plugin-other', port: 1 }, { use: colour, enabled: false }]
defineConfig({ plugins, services: { a: { command: 'x', colour: 'green', restart_policy: 'always', cron: undefined } } })
defineConfig(() => ({ services: { a: { command: 'x' } } }))
defineConfig(async () => ({ services: { a: { command: 'x' } } }))
// @ts-expect-error -- a value that the plugin does not know
defineConfig({ services: { a: { command: 'x', colour: 'blue' } } })
// @ts-expect-error -- a key that nobody knows
defineConfig({ services: { a: { command: 'x', color: 'red' } } })
// @ts-expect-error -- a value of a first-party plugin
defineConfig({ services: { a: { command: 'x', restart_policy: 'sometimes' } } })
// @ts-expect-error -- a key of a first-party plugin, one level down
defineConfig({ services: { a: { command: 'x', health_check: { tpc: '80' } } } })
// @ts-expect-error -- a key of the top level
defineConfig({ service: {} })
// @ts-expect-error -- no such hook
definePlugin({ name: 'mine', setup: ({ hooks }) => void hooks.begun })
definePlugin({ name: 'mine', setup: ({ hooks }) => hooks.retry.tap('mine', () => ({ giveUp: 'enough' })) })
// @ts-expect-error -- not what the hook takes for an answer
definePlugin({ name: 'mine', setup: ({ hooks }) => hooks.retry.tap('mine', () => ({ give_up: 'enough' })) })
`

describe('in an empty folder', () => {
  it('a config with a plugin package and one of its own starts, shows and stops its services', async () => {
    project.box.file('sysg.config.ts', config)
    expect(await project.npx('start', '-d')).toMatchObject({ code: 0 })
    const { code, stdout } = await project.npx('status')
    expect([code, stdout]).toEqual([0, expect.stringMatching(/api\s+running/)])
    await until(
      () => project.npx('logs', 'api'),
      (printed) => printed.stdout.includes('the answer is 42'),
    )
    expect(await project.npx('stop')).toMatchObject({ code: 0 })
    expect(await project.npx('status')).toMatchObject({ code: 3 })
    expect(project.box.processes()).toEqual([])
  })

  it('keys and values are checked by the compiler, those of an imported plugin too', async () => {
    const compilerOptions = { module: 'NodeNext', target: 'ES2023', strict: true, noEmit: true, types: [] }
    project.box.file('tsconfig.json', JSON.stringify({ compilerOptions, files: ['typed.ts', 'sysg.config.ts'] }))
    project.box.file('sysg.config.ts', config)
    project.box.file('typed.ts', typed)
    await project.run(process.execPath, join(repository, 'node_modules/typescript/bin/tsc'), '-p', '.')
  })

  it('the schema has the keys of the plugin, with what they are for', async () => {
    project.box.file('sysg.config.ts', config)
    const { stdout } = await project.npx('schema')
    expect(stdout).toContain('How the service looks.')
  })
})

import { beforeAll, describe, expect, it } from 'vitest'
import { loadAllInNode, type LoadedInNode } from './load-in-node.ts'
import { tempFolder } from './temp-folder.ts'

const cases: readonly (readonly [
  what: string,
  files: Readonly<Record<string, string>>,
  place: string,
  message: string | RegExp,
])[] = [
  [
    'an enum',
    { 'sysg.config.ts': 'export default {}\nenum Color { Red }\n' },
    'sysg.config.ts:2:1 SYSG_CONFIG_TS_SYNTAX',
    "The config has a TypeScript enum, which can't be run as it stands.",
  ],
  [
    'a namespace in an imported file',
    {
      'sysg.config.ts': `import './inner.ts'\nexport default {}`,
      'inner.ts': '\nnamespace N { export const a = 1 }',
    },
    'inner.ts:2:1 SYSG_CONFIG_TS_SYNTAX',
    /TypeScript namespace/,
  ],
  [
    'a parameter property',
    { 'sysg.config.ts': 'class A { constructor(private a: number) {} }\nexport default {}' },
    'sysg.config.ts:1:31 SYSG_CONFIG_TS_SYNTAX',
    /TypeScript parameter property/,
  ],
  [
    'a slip in TypeScript',
    { 'sysg.config.ts': `export default {\n  services: { a: { command 'x' } },\n}` },
    'sysg.config.ts:2:28 SYSG_CONFIG_TS_SYNTAX',
    'The config is no valid TypeScript: Unexpected token `string literal`.',
  ],
  [
    'a slip in a JavaScript module',
    {
      'sysg.config.js': `export default {\n  services: { a: { command 'x' } },\n}`,
      'package.json': '{"type":"commonjs"}',
    },
    'sysg.config.js:2:28 SYSG_CONFIG_FAILED',
    'The config is no valid JavaScript: Unexpected string.',
  ],
  [
    'a slip in CommonJS',
    { 'sysg.config.cjs': `module.exports = {\n  services: { a: { command 'x' } },\n}` },
    'sysg.config.cjs:2:28 SYSG_CONFIG_FAILED',
    'The config is no valid JavaScript: Unexpected string.',
  ],
  [
    'an error thrown by a file it imports',
    {
      'sysg.config.ts': `import './settings.ts'\nexport default {}`,
      'settings.ts': `const load = (name: string) => {\n  throw new Error('no database\\nat all')\n}\nload('x')`,
    },
    'settings.ts:2:9 SYSG_CONFIG_FAILED',
    'The config failed: no database.',
  ],
  [
    'an error thrown by its function',
    { 'sysg.config.ts': 'export default () => {\n  const a: any = undefined\n  return a.b\n}' },
    'sysg.config.ts:3:12 SYSG_CONFIG_FAILED',
    /Cannot read properties of undefined/,
  ],
  [
    'a text thrown',
    { 'sysg.config.ts': `export {}\nthrow 'no way'` },
    'sysg.config.ts:?:? SYSG_CONFIG_FAILED',
    'The config failed: no way.',
  ],
  [
    'a package that is not installed',
    { 'sysg.config.ts': `import a from 'left-pad-of-nobody'\nexport default a` },
    'sysg.config.ts:1:16 SYSG_CONFIG_FAILED',
    'The config imports the package `left-pad-of-nobody`, which is not installed.',
  ],
  [
    'an import without its extension',
    { 'sysg.config.ts': `\nimport a from "./inner"\nexport default a`, 'inner.ts': 'export default {}' },
    'sysg.config.ts:2:16 SYSG_CONFIG_FAILED',
    /inner, which does not exist/,
  ],
  [
    'an import of what is not exported',
    { 'sysg.config.ts': `import { a } from './inner.ts'\nexport default a`, 'inner.ts': 'export const b = 1' },
    'sysg.config.ts:1:10 SYSG_CONFIG_FAILED',
    /does not provide an export named 'a'/,
  ],
  [
    'no default export',
    { 'sysg.config.ts': 'export const config = {}' },
    'sysg.config.ts:?:? SYSG_CONFIG_FAILED',
    'The config has no default export.',
  ],
  [
    'an export of nothing',
    { 'sysg.config.ts': 'export default undefined' },
    'sysg.config.ts:1:16 SYSG_CONFIG_EMPTY',
    /is empty/,
  ],
  [
    'a wrong value',
    { 'sysg.config.ts': `export default { services: { a: { command: 'x', replicas: 'many' } } }` },
    'sysg.config.ts:1:59 SYSG_CONFIG_VALUE',
    /must be a whole number/,
  ],
  [
    'a package that ships TypeScript only',
    {
      'sysg.config.ts': `import a from 'only-ts'\nexport default a`,
      'node_modules/only-ts/package.json': '{"name":"only-ts","main":"index.ts","type":"module"}',
      'node_modules/only-ts/index.ts': 'export default {} as object',
    },
    'sysg.config.ts:?:? SYSG_CONFIG_TS_SYNTAX',
    'The config needs `only-ts`, which ships TypeScript only: index.ts.',
  ],
]

describe('a mistake in a config that is code', () => {
  let loaded: readonly LoadedInNode[]
  beforeAll(async () => {
    loaded = await loadAllInNode(cases.map(([, files]) => ({ cwd: tempFolder(files) })))
  }, 60_000)

  it.each(cases.map(([what, , place, message], index) => ({ what, place, message, index })))(
    'is told with its place: $what',
    ({ place, message, index }) => {
      const { places, problems, system } = loaded[index] ?? {}
      expect(places).toEqual([place])
      expect(problems?.[0]?.message).toEqual(message instanceof RegExp ? expect.stringMatching(message) : message)
      expect(system).toBeUndefined()
    },
  )

  it('is told by us alone, not by Node', () => {
    expect(loaded[0]?.stderr).toBe('')
  })
})

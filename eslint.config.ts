import { defineConfig, type Config } from 'eslint/config'
import tseslint from 'typescript-eslint'

type Rules = NonNullable<Config['rules']>

/** Names the core may not reach for: time, chance and the machine come from `Host`. */
const impureGlobals = [
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'process',
  'Buffer',
  'fetch',
  'performance',
  'console',
].map((name) => ({ name, message: 'The core decides, the host is the world: use the Host port.' }))

const impureProperties = [
  { object: 'Date', property: 'now', message: 'Use host.clock.now().' },
  { object: 'Math', property: 'random', message: 'Use host.random().' },
]

const pure = {
  'no-restricted-globals': ['error', ...impureGlobals],
  'no-restricted-properties': ['error', ...impureProperties],
} satisfies Rules

const forbid = (...patterns: { group: string[]; message: string }[]): Rules => ({
  'no-restricted-imports': ['error', { patterns }],
})

const noNode = { group: ['node:*'], message: 'Only cli, and `node.ts` files of plugins, know the machine.' }
const noCli = { group: ['systemg', 'systemg/*', '**/cli/**'], message: 'Imports go cli → plugins → core.' }
const noPlugins = { group: ['@systemg/plugins', '@systemg/plugins/*'], message: 'The core names no plugin.' }
const noOtherPlugin = {
  group: ['@systemg/plugins', '@systemg/plugins/*', '../[a-z]*/**', '../../**'],
  message: 'A plugin imports @systemg/core and its own folder; plugins meet in hooks and registries.',
}

export default defineConfig(
  { ignores: ['**/dist/**', '**/node_modules/**', 'docs/.vitepress/**', 'examples/**/*.js', 'test/e2e/programs/**'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      // `Promise.withResolvers<void>()` is how a promise without a value is made.
      '@typescript-eslint/no-invalid-void-type': 'off',
      // Hooks are asynchronous by contract; a tap that needs no await is still one.
      '@typescript-eslint/require-await': 'off',
    },
  },
  { files: ['core/src/**'], rules: { ...pure, ...forbid(noNode, noCli, noPlugins) } },
  {
    files: ['plugins/src/*/**'],
    ignores: ['plugins/src/*/node.ts'],
    rules: { ...pure, ...forbid(noNode, noCli, noOtherPlugin) },
  },
  { files: ['plugins/src/*/node.ts'], rules: forbid(noCli, noOtherPlugin) },
  // What `describe` and `it` of node:test give is awaited by the runner.
  {
    files: ['examples/systemg-plugin-*/test/**'],
    rules: { '@typescript-eslint/no-floating-promises': 'off' },
  },
  { files: ['**/*.js', '**/*.mjs'], extends: [tseslint.configs.disableTypeChecked] },
)

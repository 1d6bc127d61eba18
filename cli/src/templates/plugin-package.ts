/** The files of a package that a plugin begins with: it builds, passes its tests, and can be published as it is. */

export interface PluginPackage {
  /** Kebab-case, without `systemg-plugin-`. */
  readonly name: string
  /** Version of `@systemg/core` that it is made for. */
  readonly version: string
}

/** Text of every file, by its path in the package. */
export const pluginPackage = (given: PluginPackage): Readonly<Record<string, string>> => {
  const fill = (template: string) => filled(template, given)
  return {
    'package.json': fill(manifest),
    'README.md': fill(readme),
    'src/index.ts': fill(source),
    'test/index.test.ts': fill(test),
    'tsconfig.json': tsconfig,
    'tsconfig.build.json': buildConfig,
    '.gitignore': 'node_modules\ndist\n*.tgz\n',
  }
}

/** `__name__` is quiet-hours, `__key__` quiet_hours, `__variable__` quietHours, `__ENV__` QUIET_HOURS. */
const filled = (template: string, { name, version }: PluginPackage): string => {
  const key = name.replaceAll('-', '_')
  const variable = name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())
  return template
    .replaceAll('__name__', name)
    .replaceAll('__key__', key)
    .replaceAll('__variable__', variable)
    .replaceAll('__ENV__', key.toUpperCase())
    .replaceAll('__version__', version)
}

const manifest = `{
  "name": "systemg-plugin-__name__",
  "version": "0.1.0",
  "description": "A plugin of systemg.",
  "keywords": ["systemg-plugin"],
  "type": "module",
  "files": ["dist"],
  "exports": {
    ".": { "types": "./dist/index.d.ts", "default": "./dist/index.js" },
    "./package.json": "./package.json"
  },
  "scripts": {
    "build": "tsc -p tsconfig.build.json",
    "types": "tsc",
    "test": "node --test \\"test/*.test.ts\\"",
    "prepack": "npm run build"
  },
  "engines": { "node": ">=22.18" },
  "peerDependencies": { "@systemg/core": "^__version__" },
  "devDependencies": {
    "@systemg/core": "^__version__",
    "@types/node": "^22.20.5",
    "typescript": "~5.9"
  }
}
`

const source = `/**
 * Gives a service a message in its environment. Replace this by what your plugin does.
 *
 * Owns the service key \`__key__\`. Taps \`prepare\`.
 */
import { definePlugin, z } from '@systemg/core'

/** The key, as a user writes it: checked, completed in editors, and in the JSON Schema. */
const __variable__ = z
  .strictObject({
    message: z.string().default('hello').describe('What the service is told.'),
  })
  .optional()
  .describe('What the service is told when it starts.')

// Types the key in \`sysg.config.ts\`, and in hooks.
declare module '@systemg/core' {
  interface ServiceConfig {
    /** What the service is told when it starts. From \`systemg-plugin-__name__\`. */
    __key__?: z.input<typeof __variable__>
  }
  interface ResolvedService {
    readonly __key__?: z.output<typeof __variable__>
  }
}

export default definePlugin({
  name: '__name__',
  service: { __key__: __variable__ },
  setup({ hooks }) {
    hooks.prepare.tap('__name__', (spec, { service }) => {
      const given = service.__key__
      return given === undefined ? spec : { ...spec, env: { ...spec.env, __ENV___MESSAGE: given.message } }
    })
  },
})
`

const test = `import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pluginContract, simulate } from '@systemg/core/testing'
import plugin from '../src/index.ts'

// What every plugin must do. \`service\`: keys that make this one act.
pluginContract(plugin, { describe, it }, { service: { __key__: { message: 'hi' } } })

describe('__name__', () => {
  it('tells the service its message', async () => {
    await using sim = await simulate([plugin], { api: { command: 'x', __key__: { message: 'hi' } } })
    const [process] = sim.world.processes.list('api')
    assert.equal(process?.env['__ENV___MESSAGE'], 'hi')
  })
})
`

const readme = `# systemg-plugin-__name__

A plugin of [systemg](https://www.npmjs.com/package/systemg).

\`\`\`sh
npm install systemg-plugin-__name__
\`\`\`

\`\`\`yaml
plugins: [__name__]
services:
  api:
    command: node server.js
    __key__: { message: hi }
\`\`\`

\`\`\`ts
import { defineConfig } from 'systemg'
import __variable__ from 'systemg-plugin-__name__'

export default defineConfig({
  plugins: [__variable__],
  services: { api: { command: 'node server.js', __key__: { message: 'hi' } } },
})
\`\`\`

## More that a plugin can add

Health checks (\`probes\`), deploy strategies (\`strategies\`), commands of \`sysg\` (\`commands\`), hooks for other plugins (\`hooks\`), metrics,
control methods and readers of output. The type \`Plugin\` of \`@systemg/core\` says how.

## Working on it

\`\`\`sh
npm install
npm test        # on a simulated machine, with the suite that every plugin passes
npm run types
npm publish     # builds first
\`\`\`
`

const tsconfig = `{
  "compilerOptions": {
    "target": "ES2023",
    "lib": ["ES2024", "ESNext.Disposable"],
    "module": "NodeNext",
    "types": ["node"],
    "strict": true,
    "verbatimModuleSyntax": true,
    "erasableSyntaxOnly": true,
    "rewriteRelativeImportExtensions": true,
    "skipLibCheck": true,
    "noEmit": true
  },
  "include": ["src", "test"]
}
`

const buildConfig = `{
  "extends": "./tsconfig.json",
  "compilerOptions": { "noEmit": false, "declaration": true, "rootDir": "src", "outDir": "dist" },
  "include": ["src"]
}
`

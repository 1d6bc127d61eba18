import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { defineBuildConfig } from 'unbuild'

const sources = join(import.meta.dirname, 'src')

/** One entry per plugin: declaration bundlers keep module augmentations in entry files alone. */
const plugins = readdirSync(sources).filter((name) => statSync(join(sources, name)).isDirectory())

export default defineBuildConfig({
  entries: [
    { input: 'src/index', name: 'index' },
    { input: 'src/control/client', name: 'control/client' },
    { input: 'src/webhooks/command', name: 'webhooks/command' },
    ...plugins.map((name) => ({ input: `src/${name}/index`, name })),
  ],
  declaration: 'node16',
  clean: true,
  rollup: { emitCJS: false },
})

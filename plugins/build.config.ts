import { readdirSync, statSync } from 'node:fs'
import { defineBuildConfig } from 'unbuild'

/** One entry per plugin: declaration bundlers keep module augmentations in entry files alone. */
const plugins = readdirSync('src').filter((name) => statSync(`src/${name}`).isDirectory())

export default defineBuildConfig({
  entries: [
    { input: 'src/index', name: 'index' },
    { input: 'src/control/client', name: 'control/client' },
    ...plugins.map((name) => ({ input: `src/${name}/index`, name })),
  ],
  declaration: 'node16',
  clean: true,
  rollup: { emitCJS: false },
})

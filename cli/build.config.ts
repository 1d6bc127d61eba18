import { defineBuildConfig } from 'unbuild'

export default defineBuildConfig({
  entries: [
    { input: 'src/main', name: 'main' },
    { input: 'src/index', name: 'index' },
  ],
  declaration: 'node16',
  clean: true,
  rollup: { emitCJS: false },
})

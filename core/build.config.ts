import { defineBuildConfig } from 'unbuild'

export default defineBuildConfig({
  entries: [
    { input: 'src/index', name: 'index' },
    { input: 'src/simulated/index', name: 'simulated' },
    { input: 'src/testing/index', name: 'testing' },
  ],
  declaration: 'node16',
  clean: true,
  rollup: { emitCJS: false },
})

import { defineConfig } from 'vitest/config'

/** Sources run without a build: the `systemg-source` condition of each package points at its `src`. */
const fromSource = {
  resolve: { conditions: ['systemg-source'] },
  ssr: { resolve: { conditions: ['systemg-source'] } },
}

export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      {
        ...fromSource,
        test: { name: 'unit', include: ['test/{core,plugins,cli,docs}/**/*.test.ts'], testTimeout: 30_000 },
      },
      { ...fromSource, test: { name: 'simulation', include: ['test/simulation/**/*.test.ts'], testTimeout: 120_000 } },
      {
        ...fromSource,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
})

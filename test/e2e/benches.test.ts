/** The benchmarks still run: what they print is for people, who run them seldom. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

it('`npm run bench` measures every shape', async () => {
  const script = join(import.meta.dirname, '../bench/chain.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [script], {
    env: { ...process.env, SYSG_BENCH_RUNS: '1' },
  })
  for (const shape of ['chain of 1', 'chain of 20', 'diamond of 50'])
    expect(stdout).toMatch(new RegExp(`^${shape} .* \\d+ ms .* \\d+ %`, 'm'))
})

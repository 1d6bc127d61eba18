import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { definePlugin, type Plugin, type ServiceConfig } from '@systemg/core'
import { pluginContract, Simulation } from '@systemg/core/testing'
import canary from '../src/index.ts'

/** Stands in for the plugin `deploy` of systemg, which has the key `deployment`: every replacement is a canary. */
const deploy = (given: object): Plugin =>
  definePlugin({
    name: 'deploy',
    after: ['canary'],
    setup: ({ hooks, registries }) =>
      hooks.replace.tap('deploy', ({ service, running }) => {
        const options = canary.strategies?.['canary']?.parse(given)
        return registries.strategies.get('canary')?.({ service, running, options })
      }),
  })

pluginContract(canary, { describe, it }, { beside: [deploy({ check: 'true', watch: '10s' })] })

const api: Readonly<Record<string, ServiceConfig>> = { api: { command: 'x' } }

const deployed = async (given: object, isGood: (elapsedMs: number) => boolean, others: readonly Plugin[] = []) => {
  const sim = await Simulation.create([...others, canary, deploy(given)], api)
  await sim.finish(sim.system.boot())
  await sim.start()
  const [old] = sim.service('api').pids
  const begun = sim.world.elapsedMs()
  sim.world.setPrograms((spec) => (self) => {
    if (spec.argv.at(-1) === 'check') self.exit(isGood(sim.world.elapsedMs() - begun) ? 0 : 1)
  })
  const outcome = await sim.finish(sim.system.restart({ names: ['api'] }))
  const pids = sim.service('api').pids
  const tookMs = sim.world.elapsedMs() - begun
  await sim[Symbol.asyncDispose]()
  return { outcome, isNew: pids.length === 1 && pids[0] !== old, isOld: pids.length === 1 && pids[0] === old, tookMs }
}

describe('a deploy', () => {
  it('takes over after the window when every check is good', async () => {
    const { outcome, isNew, tookMs } = await deployed({ check: 'check', watch: '30s' }, () => true)
    assert.deepEqual([outcome.ok, isNew], [true, true])
    assert.ok(tookMs >= 30_000, `it took ${tookMs} ms`)
  })

  it('is taken back by itself when a check fails in the window', async () => {
    const { outcome, isOld, tookMs } = await deployed({ check: 'check', watch: '30s' }, (ms) => ms < 12_000)
    assert.deepEqual([outcome.ok, isOld], [false, true])
    assert.match(outcome.problems[0]?.message ?? '', /the new instance does worse: exit code 1/)
    assert.ok(tookMs < 30_000, `it took ${tookMs} ms`)
  })

  it('tolerates as many failures as it is told', async () => {
    const flaky = (ms: number) => ms < 4_000 || ms > 6_000
    assert.equal((await deployed({ check: 'check', watch: '30s', tolerate: 1 }, flaky)).isNew, true)
    assert.equal((await deployed({ check: 'check', watch: '30s' }, flaky)).isOld, true)
  })

  it('is taken back when another plugin says so at the end of the window, or fails to say', async () => {
    const asked: unknown[] = []
    const judge = (answer: () => { takeBack: string } | undefined) =>
      definePlugin({
        name: 'judge',
        setup: ({ hookOf }) =>
          hookOf('canary:verdict').tap('judge', ({ service, failed }) => {
            asked.push([service, failed])
            return answer()
          }),
      })
    const slow = await deployed({ check: 'check' }, () => true, [judge(() => ({ takeBack: 'p99 is 2 s' }))])
    assert.deepEqual([slow.isOld, slow.outcome.problems[0]?.message.includes('`verdict`: p99 is 2 s')], [true, true])
    const broken = () => {
      throw new Error('no data')
    }
    const unknown = await deployed({ check: 'check' }, () => true, [judge(broken)])
    assert.match(
      unknown.outcome.problems[0]?.message ?? '',
      /Plugin `judge` failed in `canary:verdict` of `api`: no data/,
    )
    assert.equal((await deployed({ check: 'check' }, () => true, [judge(() => undefined)])).isNew, true)
    assert.deepEqual(asked, Array(3).fill(['api', 0]))
  })
})

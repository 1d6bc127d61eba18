/** What the plugins do that the pages show for what a plugin can add. */
import type { Plugin } from '@systemg/core'
import { prints } from '@systemg/core/simulated'
import { pluginContract, simulate, type Simulation } from '@systemg/core/testing'
import { logs, metrics, restart } from '@systemg/plugins'
import { describe, expect, it } from 'vitest'
import errorLines from './error-lines.ts'
import exits from './exits.ts'
import freeze from './freeze.ts'
import onCall from './on-call.ts'
import weekend from './weekend.ts'

for (const plugin of [onCall, freeze, weekend, errorLines, exits]) pluginContract(plugin, { describe, it })

const call = (sim: Simulation, method: string, params: unknown) =>
  sim.finish((async () => sim.system.registries.methods.call(method, params))())

describe('the command on a page', () => {
  it('shows who is on call, and hands over', async () => {
    await using sim = await simulate([onCall], {}, { system: { on_call: ['ann', 'bob'] } })
    expect(await sim.command('on-call')).toEqual({ code: 0, out: 'ann\n', err: '' })
    expect(await sim.command('on-call', { args: { next: true } })).toEqual({ code: 0, out: 'bob\n', err: '' })
    expect(await sim.command('on-call', { json: true })).toMatchObject({ out: '{"who":"bob"}\n' })
    expect(await sim.command('on-call', { args: { next: true } })).toMatchObject({ out: 'ann\n' })
  })

  it('ends with 1 when nobody is, and takes nothing that it does not know', async () => {
    await using sim = await simulate([onCall], {})
    expect(await sim.command('on-call')).toEqual({ code: 1, out: 'nobody\n', err: '' })
    for (const typed of [{ args: { later: true } }, { args: { next: 'yes' } }, { positionals: ['ann'] }])
      await expect(sim.command('on-call', typed)).rejects.toMatchObject({ code: 'SYSG_USAGE' })
    await expect(sim.command('off-call')).rejects.toMatchObject({ code: 'SYSG_USAGE' })
    await expect(call(sim, 'on-call.who', { nex: true })).rejects.toThrow('nex')
  })
})

describe('the hook on a page', () => {
  const saturday = Date.UTC(2026, 0, 3)
  const deploy = async (plugins: readonly Plugin[], startMs: number) => {
    await using sim = await simulate(plugins, { api: { command: 'x' } }, { startMs })
    const { starts } = sim.service('api')
    const { ok, problems } = await sim.finish(sim.system.restart())
    return { ok, message: problems[0]?.message, restarted: sim.service('api').starts > starts }
  }

  it.each([
    ['before', [weekend, freeze]],
    ['after', [freeze, weekend]],
  ])('refuses deploys at the weekend, tapped by a plugin listed %s', async (_when, plugins) => {
    expect(await deploy(plugins, saturday)).toMatchObject({
      ...{ ok: false, restarted: false },
      message: expect.stringContaining('deploys are frozen: it is the weekend') as string,
    })
    expect(await deploy(plugins, saturday - 86_400_000)).toEqual({ ok: true, message: undefined, restarted: true })
  })

  it('refuses nothing without somebody who has a reason, or without somebody who asks', async () => {
    for (const alone of [freeze, weekend]) expect(await deploy([alone], saturday)).toMatchObject({ ok: true })
  })
})

it('the sink on a page counts what services wrote, but for one that it does not want', async () => {
  const programs = {
    api: prints('ERROR one\nok\nERROR two\n'),
    chatty: prints('ERROR\n'),
  }
  const services = { api: { command: 'x' }, chatty: { command: 'x' } }
  await using sim = await simulate([logs, errorLines], services, { programs })
  const sectionOf = async (name: string) => (await sim.finish(sim.system.inspect(name))).sections.at(-1)
  expect(await sectionOf('api')).toEqual({ title: 'errors', lines: ['2 since the supervisor came up'] })
  expect(await sectionOf('chatty')).toEqual({ title: 'errors', lines: ['0 since the supervisor came up'] })
})

it('the metric on a page is published', async () => {
  const services = { api: { command: 'x', restart_policy: 'always' } } as const
  await using sim = await simulate([metrics, restart, exits], services)
  await sim.service('api').exit({ code: 1 })
  const text = await call(sim, 'metrics.text', {})
  expect(String(text)).toContain('# HELP exits_total How often the program of a service has ended.')
  expect(String(text)).toContain('exits_total{service="api"} 1')
})

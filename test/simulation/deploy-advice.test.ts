/** A deploy that fails says what to do about its cause, wherever that was known. */
import { definePlugin, SysgError, type ServiceConfig } from '@systemg/core'
import { health } from '@systemg/plugins/health'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { blueGreen, siteOf, siteSimulation } from './deploys.ts'

const advice = { message: 'Its licence is missing.', hint: 'Put one into `licence.txt`.' }

/** Refuses what is new, by a gate or a probe. */
const refuses = definePlugin({
  name: 'refuses',
  probes: { licence: z.boolean() },
  setup({ hooks, registerProbe }) {
    const open = () => Promise.reject(SysgError.of('SYSG_LICENCE', advice))
    registerProbe('licence', open)
    hooks.ready.tap('refuses', (gates, { service }) =>
      service.command === 'new' && service.health_check === undefined ? [...gates, { name: 'licence', open }] : gates,
    )
  },
})

const refused = { ...blueGreen, command: 'new' }
const check = { licence: true, total_timeout: '1s' } as NonNullable<ServiceConfig['health_check']>

describe.each([
  ['a gate', refused, 'Its licence is missing'],
  ['a probe', { ...refused, health_check: check }, 'not ready within 1s: Its licence is missing'],
] as const)('what %s advises', (_what, service, why) => {
  it('is said of a deploy', async () => {
    await using sim = await siteSimulation(siteOf(), undefined, { plugins: [health, refuses] })
    const [problem] = (await sim.finish(sim.system.apply(await sim.configOf({ api: service })))).problems
    expect(problem?.message).toBe(`The deploy of \`api\` failed in step \`ready\`: ${why}.`)
    expect(problem?.hint).toContain('Put one into `licence.txt`. `sysg logs api`')
  })

  it('is said of a start', async () => {
    await using sim = await siteSimulation(siteOf(), { api: service }, { plugins: [health, refuses], idle: true })
    expect((await sim.start()).problems).toMatchObject([
      { message: `\`api\` did not start: ${why}.`, hint: expect.stringContaining('Put one into') as string },
    ])
  })
})

it('has what is advised, and the last lines, of a replica that was down and can not be brought up', async () => {
  const wordy = definePlugin({
    name: 'wordy',
    setup: ({ hooks }) =>
      hooks.prepare.tap('wordy', (spec, { instance }) => {
        if (instance.id !== 'api-1' && instance.id !== 'api-2')
          throw SysgError.of('SYSG_LOST', { message: 'It is lost.', hint: 'Look for it.' }, { lastLines: ['gone'] })
        return spec
      }),
  })
  const services = { api: { command: 'x', replicas: 2 } }
  await using sim = await siteSimulation(siteOf(), services, { plugins: [wordy] })
  sim.world.processes.exit(sim.service('api').pids[0] ?? 0, 1)
  await sim.until(() => sim.service('api').pids.length === 1)
  const [problem] = (await sim.finish(sim.system.restart({ names: ['api'] }))).problems
  expect(problem?.message).toContain('failed in step `start`: ')
  expect(problem?.message).toContain('It is lost')
  expect(problem?.hint).toContain('Look for it. `sysg logs api`')
  expect(problem?.last_lines).toEqual(['gone'])
})

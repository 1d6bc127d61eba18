import { definePlugin, parseYaml, resolveConfig, type ServiceConfig } from '@systemg/core'
import { simulate } from '@systemg/core/testing'
import { deploy } from '@systemg/plugins/deploy'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import canary from '../docs/canary.ts'
import { fillIn, unknownPlaces } from '../../plugins/src/deploy/placeholders.ts'
import { wantedPorts } from '../../plugins/src/deploy/port-holder.ts'
import { nextSlot } from '../../plugins/src/deploy/slots.ts'

describe('names in commands', () => {
  const places = { service: 'api', slot: '8001', active_slot: '8000', candidate_slot: '8001' }

  it.each([
    ['point-proxy {slot}', 'point-proxy 8001'],
    ['from {active_slot} to {candidate_slot} of {service}', 'from 8000 to 8001 of api'],
    ['{slot}{slot}', '80018001'],
    ['curl -d \'{"slot":"{slot}"}\'', 'curl -d \'{"slot":"8001"}\''],
    ['echo ${slot} $slot {{slot}}', 'echo ${slot} $slot {8001}'],
    ["awk '{print}' {other} {a,b}", "awk '{print}' {other} {a,b}"],
    ['', ''],
  ])('%s', (text, filled) => {
    expect(fillIn(text, places)).toBe(filled)
  })

  it('that are not known now stay as they are', () => {
    expect(fillIn('{slot} {active_slot} {service}', { service: 'api' })).toBe('{slot} {active_slot} api')
  })

  it.each([
    ['{slots}', ['slots']],
    ['{port} {PORT} {new-slot}', ['port', 'PORT', 'new-slot']],
    ['{Slot}', ['Slot']],
    ["{print} {name} ${PORT} {{slots}} {a,port} awk '{ slot }'", []],
    ['{slot} {active_slot} {candidate_slot} {service}', []],
  ])('%s: those that were meant and are none', (text, unknown) => {
    expect(unknownPlaces(text)).toEqual(unknown)
  })
})

it.each([
  [['a', 'b'], 'a', 'b'],
  [['a', 'b'], 'b', 'a'],
  [['a', 'b', 'c'], 'b', 'c'],
  [['a', 'b', 'c'], 'c', 'a'],
  [['a', 'b'], undefined, 'a'],
  [['a', 'b'], 'gone', 'a'],
])('of slots %j, behind %s comes %s', (slots, slot, next) => {
  expect(nextSlot(slots, slot)).toBe(next)
})

describe('the port that a program could not have', () => {
  it.each<[string, readonly string[], readonly number[]]>([
    [
      'Node',
      ['Error: listen EADDRINUSE: address already in use :::8000', "  code: 'EADDRINUSE',", '  port: 8000'],
      [8000],
    ],
    [
      'Node, the end of it',
      ["  code: 'EADDRINUSE',", "  address: '::',", '  port: 8000', '}', 'Node.js v26.0.0'],
      [8000],
    ],
    ['Go', ['listen tcp :8080: bind: address already in use'], [8080]],
    ['Go, by address', ['listen tcp 127.0.0.1:8080: bind: address already in use'], [8080]],
    ['Python', ['OSError: [Errno 98] Address already in use'], []],
    [
      'uvicorn',
      ["[Errno 98] error while attempting to bind on address ('0.0.0.0', 8000): address already in use"],
      [8000],
    ],
    ['gunicorn', ["[ERROR] Connection in use: ('127.0.0.1', 8000)", 'Address already in use'], [8000]],
    ['nginx', ['nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)'], [80]],
    ['Rust', ['Os { code: 98, kind: AddrInUse, message: "Address already in use" }'], []],
    ['Java', ['Web server failed to start. Port 8080 was already in use.'], [8080]],
    ['Puma', ['Address already in use - bind(2) for "0.0.0.0" port 3000 (Errno::EADDRINUSE)'], [3000]],
    ['something else', ['exit: no such file', 'port: 8000'], []],
  ])('%s', (_, lines, ports) => {
    expect(wantedPorts(lines, {})).toEqual(ports)
  })

  it('is also looked for where the service was told its port', () => {
    const lines = ['OSError: [Errno 98] Address already in use']
    expect(wantedPorts(lines, { PORT: '8001' })).toEqual([8001])
    expect(wantedPorts(lines, { PORT: '9', SYSG_SLOT: '127.0.0.1:8002' })).toEqual([8002, 9])
    expect(wantedPorts(['fine'], { PORT: '8001' })).toEqual([])
  })
})

const mistakes = async (deployment: string, more = ''): Promise<readonly string[]> => {
  const text = `services:\n  api:\n    command: server\n    deployment: ${deployment}\n${more}`
  const readText = () => Promise.resolve(undefined)
  const parsed = await parseYaml({ text, file: '/srv/systemg.yaml', readText })
  const { problems } = await resolveConfig({
    ...{ ...parsed, file: '/srv/systemg.yaml', folder: '/srv', plugins: [{ plugin: deploy }], env: {}, readText },
    projectDefault: { id: 'shop', name: 'shop' },
  })
  return problems.map(({ path, message, hint }) => `${path.slice(2).join('.')}: ${message} ${hint ?? ''}`.trim())
}

describe('a mistake in `deployment`', () => {
  it.each([
    ['{ strategy: roling }', 'Did you mean `rolling`?'],
    ['{ stratgy: rolling }', 'Did you mean `strategy`?'],
    ['{ grace_period: soon }', 'must be a duration'],
    ['{ blue_green: { slots: [a, b] } }', 'Write `strategy: rolling`.'],
    ['{ strategy: rolling, blue_green: { slots: [8000] } }', 'needs at least two slots'],
    ['{ strategy: rolling, blue_green: { slots: [8000, "8000"] } }', 'must not name a slot twice'],
    ['{ strategy: rolling, blue_green: { slots: ["a b", c] } }', 'since commands get it as it is'],
    ['{ strategy: rolling, blue_green: { slots: [a, b], env_var: "my-port" } }', 'must be the name of a variable'],
    ['{ strategy: rolling, blue_green: { slots: [a, b], switch_verify: x } }', 'without a `switch_command`'],
    ['{ strategy: rolling, blue_green: { switch_command: "x {slot}" } }', 'Add `deployment.blue_green.slots`'],
    [
      '{ strategy: rolling, blue_green: { slots: [a, b], switch_command: "x {candidat_slot}" } }',
      'Did you mean `{candidate_slot}`?',
    ],
    ['{ strategy: rolling, blue_green: { slots: [a, b], switch_command: "x {port}" } }', 'Known are `{slot}`'],
    ['{ pre_start: "build {slot}" }', 'has no slots'],
    ['{ pre_start: " " }', 'must not be empty'],
    ['{ health_check: { url: x } }', '`health_check` is not a key'],
  ])('%s is told with what to do', async (deployment, text) => {
    const found = await mistakes(deployment)
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(text)
  })

  it('slots with several replicas are told at the slots', async () => {
    const slots = '{ strategy: rolling, blue_green: { slots: [a, b] } }'
    expect((await mistakes(slots, '    replicas: 2\n'))[0]).toContain(
      'deployment.blue_green.slots: `api` has 2 replicas, which cannot share one slot',
    )
  })

  it('is none when all is well', async () => {
    const good =
      '{ strategy: rolling, pre_start: "make {service}", grace_period: 5s, blue_green: { slots: [8000, 8001], switch_command: "p {slot} {active_slot}", switch_verify: v } }'
    expect(await mistakes(good)).toEqual([])
  })
})

describe('a change of `deployment`', () => {
  const before = { strategy: 'rolling', pre_start: 'build', blue_green: { slots: [1, 2], switch_command: 'p {slot}' } }
  const changes: readonly [string, object, string][] = [
    ['strategy', { ...before, strategy: 'rolling', grace_period: '9s' }, 'keep'],
    ['pre_start', { ...before, pre_start: 'make' }, 'keep'],
    ['switch_command', { ...before, blue_green: { ...before.blue_green, switch_command: 'q {slot}' } }, 'keep'],
    ['slots', { ...before, blue_green: { ...before.blue_green, slots: [1, 3] } }, 'deploy'],
    ['env_var', { ...before, blue_green: { ...before.blue_green, env_var: 'LISTEN' } }, 'deploy'],
    ['everything', {}, 'restart'],
  ]
  it.each(changes)('of %s', async (_, after, action) => {
    const service = (deployment: object) => ({ api: { command: 'x', deployment } as ServiceConfig })
    await using sim = await simulate([deploy], service(before), {
      programs: { api: (self) => (self.env['SYSG_INSTANCE'] === undefined ? self.exit(0) : undefined) },
    })
    expect(sim.system.plan(await sim.configOf(service(after)))[0]?.action).toBe(action)
  })
})

it('a service with slots cannot be scaled: several replicas cannot share them', async () => {
  const deployment = { strategy: 'rolling' as const, blue_green: { slots: ['a', 'b'] } }
  await using sim = await simulate([deploy], { api: { command: 'x', deployment } })
  await expect(sim.system.scale({ api: 2 })).rejects.toMatchObject({
    message: expect.stringContaining('cannot share one slot') as string,
  })
  expect(sim.service('api').pids).toHaveLength(1)
})

describe('a strategy of a third party', () => {
  const yaml = (deployment: string) => `services: { api: { command: server, deployment: ${deployment} } }`

  const resolved = async (deployment: string) => {
    const readText = () => Promise.resolve(undefined)
    const parsed = await parseYaml({ text: yaml(deployment), file: '/srv/systemg.yaml', readText })
    const plugins = [{ plugin: deploy }, { plugin: canary }]
    return resolveConfig({
      ...{ ...parsed, file: '/srv/systemg.yaml', folder: '/srv', plugins, env: {}, readText },
      projectDefault: { id: 'shop', name: 'shop' },
    })
  }

  it('is chosen in YAML with options of its own, checked and with their defaults', async () => {
    const written = await resolved('{ strategy: canary, canary: { watch: 5s } }')
    expect(written.problems).toEqual([])
    expect(written.system?.services['api']?.deployment).toMatchObject({ canary: { watch: 5_000 } })
    const short = await resolved('{ strategy: canary }')
    expect(short.system?.services['api']?.deployment).toMatchObject({ canary: { watch: 60_000 } })
  })

  it.each([
    ['{ strategy: canry }', '`deployment.strategy` must be `immediate`, `rolling` or `canary`, not `canry`.'],
    ['{ strategy: canary, canary: { wach: 5 } }', '`wach` is not a key that can stand here.'],
    ['{ canary: { watch: 5 } }', 'says how `strategy: canary` works, but the strategy is `immediate`'],
  ])('%s is a mistake', async (deployment, message) => {
    const { problems } = await resolved(deployment)
    expect(problems.map((problem) => problem.message).join()).toContain(message)
  })

  it('runs, with `pre_start` before it, and takes back what it did', async () => {
    const deployment = { strategy: 'canary', canary: { watch: '5s' }, pre_start: 'build' } as const
    await using sim = await simulate(
      [deploy, canary],
      { api: { command: 'x', deployment } },
      { programs: { api: (self) => (self.env['SYSG_INSTANCE'] === undefined ? self.exit(0) : undefined) } },
    )
    const shares = () => sim.world.traceLines.flatMap((line) => /(\d+) % of the users/.exec(line)?.[1] ?? [])
    expect((await sim.finish(sim.system.restart({ names: ['api'] }))).ok).toBe(true)
    expect(shares()).toEqual(['5', '100'])
    const deploying = sim.system.restart({ names: ['api'] })
    await sim.until(() =>
      sim.service('api').view.instances.some(({ id, state }) => id === 'api-3' && state === 'ready'),
    )
    const candidate = sim.service('api').view.instances.find(({ id }) => id === 'api-3')
    sim.world.processes.exit(candidate?.pid ?? 0, 4)
    const outcome = await sim.finish(deploying)
    expect(outcome.problems[0]?.message).toContain('failed in step `watch`: exit code 4')
    expect(shares()).toEqual(['5', '100', '5', '0'])
    const told = sim.events.filter(({ type }) => type === 'deploy.step').map(({ data }) => data['step'])
    expect(told.slice(0, 4)).toEqual(['pre_start', 'candidate', 'ready', 'watch'])
  })

  it('that never ends after it was called off does not hold anybody up for ever', async () => {
    const stubborn = definePlugin({
      name: 'stubborn',
      strategies: { stubborn: z.strictObject({}) },
      setup: (api) =>
        api.registerStrategy('stubborn', () => ({
          name: 'stubborn',
          run: () => new Promise(() => undefined),
          undo: () => new Promise(() => undefined),
          undoLimitMs: 5_000,
        })),
    })
    const deployment = { strategy: 'stubborn' } as never
    await using sim = await simulate([deploy, stubborn], { api: { command: 'x', deployment } })
    const deploying = sim.system.restart({ names: ['api'] })
    await sim.clock.advance(1_000)
    await sim.finish(sim.system.stop(['api']))
    const [problem] = (await sim.finish(deploying)).problems
    expect(problem?.code).toBe('SYSG_DEPLOY_SUPERSEDED')
    expect(problem?.message).toContain('Taking it back failed, too: it did not end within 5000 ms')
    expect(sim.world.elapsedMs()).toBeLessThan(40_000)
  })

  it('that a supervisor does not know fails the deploy and says what to do', async () => {
    await using sim = await simulate([deploy], { api: { command: 'x' } })
    const config = await sim.configOf({ api: { command: 'y' } })
    const api = config.services['api']
    const next = { ...config, services: { api: { ...api, deployment: { strategy: 'canary' } } } } as never
    const outcome = await sim.finish(sim.system.apply(next))
    expect(outcome.problems[0]?.message).toContain('knows no deploy strategy `canary`')
    expect(sim.service('api').state).toBe('running')
  })
})

import {
  instanceMoves,
  moveInstance,
  moveReplica,
  replicaMoves,
  serviceState,
  type InstanceState,
  type ReplicaState,
  type ServiceFacts,
  type ServiceState,
} from '@systemg/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

type Move = (from: never, cue: never, onMove?: (table: string, from: string, cue: string) => void) => string
type Table = Readonly<Record<string, Readonly<Record<string, string>>>>

const tables: readonly (readonly [string, Table, Move])[] = [
  ['instance', instanceMoves, moveInstance],
  ['replica', replicaMoves, moveReplica],
]

describe.each(tables)('the %s table', (name, table, move) => {
  const cues = [...new Set(Object.values(table).flatMap((moves) => Object.keys(moves)))]
  const pairs = Object.keys(table).flatMap((from) => cues.map((cue) => [from, cue, table[from]?.[cue]] as const))
  const legal = pairs.filter(([, , to]) => to !== undefined)
  const illegal = pairs.filter(([, , to]) => to === undefined)

  it.each(legal)('goes from `%s` on `%s` to `%s`, and tells so', (from, cue, to) => {
    const told: string[][] = []
    expect(move(from as never, cue as never, (...edge) => told.push(edge))).toBe(to)
    expect(told).toEqual([[name, from, cue]])
  })

  it.each(illegal)('has no move from `%s` on `%s`', (from, cue) => {
    const told: string[][] = []
    expect(() => move(from as never, cue as never, (...edge) => told.push(edge))).toThrow(
      expect.objectContaining({
        code: 'SYSG_INTERNAL_TRANSITION',
        message: `The ${name} table has no move from \`${from}\` on \`${cue}\`.`,
      }),
    )
    expect(told).toEqual([])
  })

  it('leads only to states that it has', () => {
    for (const [, , to] of legal) expect(Object.keys(table)).toContain(to)
  })

  it('reaches every state from the first', () => {
    const [first = ''] = Object.keys(table)
    const reached = new Set([first])
    for (const from of reached) for (const to of Object.values(table[from] ?? {})) reached.add(to)
    expect([...reached].sort()).toEqual(Object.keys(table).sort())
  })
})

it('an instance ends once, whatever it was doing', () => {
  for (const state of ['starting', 'ready', 'unhealthy', 'stopping'] as const)
    expect(moveInstance(state, 'end')).toBe('ended')
  expect(Object.keys(instanceMoves.ended)).toEqual([])
})

type Replicas = ServiceFacts['replicas']

const replica = (state: ReplicaState, ...instances: readonly InstanceState[]): Replicas[number] => ({
  state,
  instances,
})

const live = (...instances: readonly InstanceState[]) => replica('live', ...instances)

const factsOf = (given: Partial<ServiceFacts>): ServiceFacts => ({
  ...{ wanted: true, skipped: false, scheduled: false, gate: 'open', up: false, replicas: [replica('idle')] },
  ...given,
})

describe('the state people see', () => {
  it.each<[words: string, ServiceState, Partial<ServiceFacts>]>([
    ['about to be launched', 'starting', {}],
    ['waits for a dependency on its way', 'waiting', { gate: 'waiting' }],
    ['a dependency failed or is down', 'blocked', { gate: 'blocked' }],
    ['its process starts', 'starting', { replicas: [live('starting')] }],
    [
      'starts while a dependency is lost: it is being held back',
      'starting',
      { gate: 'blocked', replicas: [live('starting')] },
    ],
    ['ready', 'running', { up: true, replicas: [live('ready')] }],
    [
      'ready, and a dependency with `on_failure: ignore` is down',
      'running',
      { up: true, gate: 'blocked', replicas: [live('ready')] },
    ],
    ['liveness fails', 'unhealthy', { replicas: [live('unhealthy')] }],
    ['asked to stop, still living', 'stopping', { wanted: false, replicas: [live('stopping')] }],
    ['asked to stop, not begun: dependents go first', 'stopping', { wanted: false, replicas: [live('ready')] }],
    ['stopped by a cascade, wanted again', 'stopping', { gate: 'blocked', replicas: [live('stopping')] }],
    ['stopped as asked', 'stopped', { wanted: false }],
    ['stopped while its dependency is down', 'stopped', { wanted: false, gate: 'blocked' }],
    ['exited 0 by itself', 'completed', { replicas: [replica('completed')] }],
    ['exited 0, then the system stops', 'completed', { wanted: false, replicas: [replica('completed')] }],
    ['exited 0, then its dependency crashed', 'completed', { gate: 'blocked', replicas: [replica('completed')] }],
    ['will restart', 'backoff', { replicas: [replica('backoff')] }],
    ['will restart, but its dependency is down', 'blocked', { gate: 'blocked', replicas: [replica('backoff')] }],
    ['will restart; its dependency is on its way', 'backoff', { gate: 'waiting', replicas: [replica('backoff')] }],
    ['given up', 'failed', { replicas: [replica('failed')] }],
    ['given up, then the system stops', 'failed', { wanted: false, replicas: [replica('failed')] }],
    ['given up, its dependency down as well', 'failed', { gate: 'blocked', replicas: [replica('failed')] }],
    ['waits for its time', 'scheduled', { scheduled: true }],
    ['waits for its time; its dependency is down', 'scheduled', { scheduled: true, gate: 'blocked' }],
    ['its scheduled run goes on', 'starting', { scheduled: true, replicas: [live('starting')] }],
    ['skipped by its config', 'skipped', { skipped: true }],
    ['skipped, whatever its dependencies', 'skipped', { skipped: true, gate: 'blocked' }],
    ['skipped and not wanted', 'skipped', { wanted: false, skipped: true }],
    [
      'skipped from now on, still on its way out',
      'stopping',
      { wanted: false, skipped: true, replicas: [live('stopping')] },
    ],
    ['first of three replicas ready', 'starting', { replicas: [live('ready'), live('starting'), replica('idle')] }],
    ['all replicas ready', 'running', { up: true, replicas: [live('ready'), live('ready')] }],
    ['one of two lost later', 'running', { up: true, replicas: [live('ready'), replica('backoff')] }],
    ['one of two failed later', 'running', { up: true, replicas: [replica('failed'), live('ready')] }],
    ['one of two unhealthy later', 'running', { up: true, replicas: [live('ready'), live('unhealthy')] }],
    ['none ready, one comes back by itself', 'starting', { replicas: [live('starting'), replica('backoff')] }],
    ['none ready, one in backoff, one failed', 'backoff', { replicas: [replica('backoff'), replica('failed')] }],
    ['all failed', 'failed', { replicas: [replica('failed'), replica('failed')] }],
    ['one failed, one done', 'failed', { replicas: [replica('completed'), replica('failed')] }],
    [
      'some of it has ended, some still ends',
      'stopping',
      { wanted: false, replicas: [replica('failed'), live('stopping')] },
    ],
    ['no replica wanted', 'stopped', { replicas: [] }],
    ['no replica wanted, and skipped', 'skipped', { skipped: true, replicas: [] }],
    ['no replica wanted, and a dependency down', 'stopped', { gate: 'blocked', replicas: [] }],
  ])('%s: `%s`', (_words, state, given) => {
    expect(serviceState(factsOf(given))).toBe(state)
  })

  const states: readonly ServiceState[] = [
    ...(['waiting', 'blocked', 'starting', 'running', 'unhealthy', 'stopping'] as const),
    ...(['stopped', 'completed', 'backoff', 'failed', 'scheduled', 'skipped'] as const),
  ]
  const anyFacts: fc.Arbitrary<ServiceFacts> = fc.record({
    wanted: fc.boolean(),
    skipped: fc.boolean(),
    scheduled: fc.boolean(),
    gate: fc.constantFrom('open', 'waiting', 'blocked'),
    up: fc.boolean(),
    replicas: fc.array(
      fc.record({
        state: fc.constantFrom(...(Object.keys(replicaMoves) as ReplicaState[])),
        instances: fc.array(fc.constantFrom(...(Object.keys(instanceMoves) as InstanceState[])), { maxLength: 2 }),
      }),
      { maxLength: 3 },
    ),
  })

  it('is always one of the twelve, and the same for the same facts', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const state = serviceState(facts)
        expect(states).toContain(state)
        expect(serviceState(structuredClone(facts))).toBe(state)
      }),
    )
  })

  it('is `running` only while something is ready, and never while it is not wanted', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        if (serviceState(facts) !== 'running') return
        expect(facts.wanted && facts.up).toBe(true)
        expect(facts.replicas.some(({ instances }) => instances.includes('ready'))).toBe(true)
      }),
    )
  })

  it('is at rest only when nothing lives', () => {
    const resting: readonly ServiceState[] = [
      'stopped',
      'completed',
      'backoff',
      'failed',
      'skipped',
      'scheduled',
      'waiting',
      'blocked',
    ]
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const lives = facts.replicas.some(({ instances }) => instances.some((state) => state !== 'ended'))
        if (lives) expect(resting).not.toContain(serviceState(facts))
      }),
    )
  })

  it('can be each of the twelve', () => {
    const seen = new Set(fc.sample(anyFacts, { numRuns: 20_000, seed: 1 }).map(serviceState))
    expect([...seen].sort()).toEqual([...states].sort())
  })
})

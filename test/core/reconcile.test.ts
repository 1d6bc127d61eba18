import { replicaMoves, type ReplicaState } from '@systemg/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextStep, type ReplicaFacts, type Step } from '../../core/src/reconcile.ts'

/** An idle replica that may be launched. */
const factsOf = (given: Partial<ReplicaFacts>): ReplicaFacts => ({
  ...{ state: 'idle', wanted: true, living: false, deploying: false, planned: true },
  ...{ gate: 'open', retryDue: false, mayStart: true },
  ...given,
})

describe('the next step of a replica', () => {
  it.each<[when: string, Step, Partial<ReplicaFacts>]>([
    ['idle, wanted, and nothing in its way', 'launch', {}],
    ['idle, and its dependencies are on their way', 'none', { gate: 'waiting' }],
    ['idle, and a dependency is down', 'none', { gate: 'blocked' }],
    ['idle, and not known to start at boot', 'none', { planned: false }],
    ['idle, and too many services are starting', 'none', { mayStart: false }],
    ['idle, and a deploy decides', 'none', { deploying: true }],
    ['idle, and not wanted', 'none', { wanted: false }],
    ['idle, and an old run is on its way out', 'none', { living: true }],
    ['living as wanted', 'none', { state: 'live', living: true }],
    [
      'living, and a dependency is down: cascades are not its business',
      'none',
      { state: 'live', living: true, gate: 'blocked' },
    ],
    ['living, and not wanted', 'stop', { state: 'live', living: true, wanted: false }],
    ['living in a deploy, and not wanted', 'stop', { state: 'live', living: true, deploying: true, wanted: false }],
    ['between two runs of a deploy', 'none', { state: 'live', deploying: true }],
    ['waiting to restart', 'none', { state: 'backoff' }],
    ['waiting to restart, and the wait is over', 'launch', { state: 'backoff', retryDue: true }],
    [
      'the wait is over, and too many services are starting',
      'none',
      { state: 'backoff', retryDue: true, mayStart: false },
    ],
    ['waiting to restart, and a dependency is lost', 'rest', { state: 'backoff', gate: 'blocked' }],
    ['the wait is over, and a dependency is on its way', 'rest', { state: 'backoff', retryDue: true, gate: 'waiting' }],
    ['waiting to restart, and not wanted', 'rest', { state: 'backoff', wanted: false }],
    ['given up', 'none', { state: 'failed', retryDue: true }],
    ['given up, and not wanted', 'none', { state: 'failed', wanted: false }],
    ['completed', 'none', { state: 'completed' }],
  ])('%s: %s', (_when, step, given) => {
    expect(nextStep(factsOf(given))).toBe(step)
  })
})

const anyFacts: fc.Arbitrary<ReplicaFacts> = fc.record({
  state: fc.constantFrom(...(Object.keys(replicaMoves) as ReplicaState[])),
  wanted: fc.boolean(),
  living: fc.boolean(),
  deploying: fc.boolean(),
  planned: fc.boolean(),
  gate: fc.constantFrom('open', 'waiting', 'blocked'),
  retryDue: fc.boolean(),
  mayStart: fc.boolean(),
})

describe('a replica never', () => {
  const whenever = (step: Step, check: (facts: ReplicaFacts) => void) =>
    fc.assert(
      fc.property(anyFacts, (facts) => {
        if (nextStep(facts) === step) check(facts)
      }),
      { numRuns: 1_000 },
    )

  it('launches unless it is wanted, its gate open, nothing of it alive, no deploy at work and a start allowed', () => {
    whenever('launch', ({ wanted, gate, living, deploying, mayStart }) =>
      expect({ wanted, gate, living, deploying, mayStart }).toEqual({
        ...{ wanted: true, gate: 'open', living: false, deploying: false, mayStart: true },
      }),
    )
  })

  it('launches for the first time without a plan, or again before its wait is over', () => {
    whenever('launch', ({ state, planned, retryDue }) =>
      expect(state === 'idle' ? planned : state === 'backoff' && retryDue).toBe(true),
    )
  })

  it('stops what is wanted', () =>
    whenever('stop', ({ wanted, living }) => expect([wanted, living]).toEqual([false, true])))

  it('asks for a move that its table does not have', () => {
    whenever('launch', ({ state }) => expect(replicaMoves[state]).toHaveProperty('launch'))
    whenever('rest', ({ state }) => expect(replicaMoves[state]).toHaveProperty('rest'))
  })
})

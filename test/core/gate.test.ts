import type { Condition, ServiceState } from '@systemg/core'
import { describe, expect, it } from 'vitest'
import { gateOf, type DependencyFacts } from '../../core/src/gate.ts'

const dependency = (
  state: ServiceState,
  condition: Condition = 'ready',
  given: Partial<DependencyFacts> = {},
): DependencyFacts => ({
  name: 'db',
  condition,
  state,
  isUp: state === 'running',
  hasProcess: ['starting', 'running', 'unhealthy', 'stopping'].includes(state),
  isIncomplete: false,
  ...given,
})

describe('a gate', () => {
  it('without dependencies is open', () => {
    expect(gateOf([])).toEqual({ state: 'open' })
  })

  it.each<[Condition, 'open' | 'waiting' | 'blocked']>([
    ['ready', 'blocked'],
    ['started', 'open'],
  ])('for `%s` is, while one replica of a dependency that starts is down, %s', (condition, expected) => {
    expect(gateOf([dependency('starting', condition, { isIncomplete: true })]).state).toBe(expected)
  })

  it.each<[Condition, ServiceState, 'open' | 'waiting' | 'blocked']>([
    ['ready', 'waiting', 'waiting'],
    ['ready', 'starting', 'waiting'],
    ['ready', 'running', 'open'],
    ['ready', 'stopping', 'waiting'],
    ['ready', 'scheduled', 'waiting'],
    ['ready', 'blocked', 'blocked'],
    ['ready', 'unhealthy', 'blocked'],
    ['ready', 'stopped', 'blocked'],
    ['ready', 'backoff', 'blocked'],
    ['ready', 'failed', 'blocked'],
    ['ready', 'completed', 'open'],
    ['ready', 'skipped', 'open'],
    ['started', 'waiting', 'waiting'],
    ['started', 'starting', 'open'],
    ['started', 'running', 'open'],
    ['started', 'unhealthy', 'open'],
    ['started', 'stopping', 'waiting'],
    ['started', 'stopped', 'blocked'],
    ['started', 'backoff', 'blocked'],
    ['started', 'failed', 'blocked'],
    ['started', 'completed', 'open'],
    ['started', 'skipped', 'open'],
    ['completed', 'waiting', 'waiting'],
    ['completed', 'starting', 'waiting'],
    ['completed', 'running', 'waiting'],
    ['completed', 'unhealthy', 'waiting'],
    ['completed', 'stopping', 'waiting'],
    ['completed', 'blocked', 'blocked'],
    ['completed', 'stopped', 'blocked'],
    ['completed', 'backoff', 'blocked'],
    ['completed', 'failed', 'blocked'],
    ['completed', 'completed', 'open'],
    ['completed', 'skipped', 'open'],
  ])('for `%s` is, while the dependency is %s, %s', (condition, state, expected) => {
    const gate = gateOf([dependency(state, condition)])
    expect(gate).toEqual(expected === 'open' ? { state: 'open' } : { state: expected, by: ['db'] })
  })

  it('for `started` waits for a process, not for a state', () => {
    expect(gateOf([dependency('starting', 'started', { hasProcess: false })]).state).toBe('waiting')
  })

  it('for `ready` stays closed until all wanted replicas have been ready at once', () => {
    expect(gateOf([dependency('running', 'ready', { isUp: false })]).state).toBe('waiting')
  })

  it('is blocked as soon as one dependency is down, and names those alone', () => {
    const gate = gateOf([
      dependency('starting', 'ready', { name: 'slow' }),
      dependency('running', 'ready', { name: 'fine' }),
      dependency('failed', 'ready', { name: 'broken' }),
      dependency('stopped', 'ready', { name: 'off' }),
    ])
    expect(gate).toEqual({ state: 'blocked', by: ['broken', 'off'] })
  })

  it('names everything it waits for, in the order of the config', () => {
    const names = ['b', 'a', 'c']
    expect(gateOf(names.map((name) => dependency('starting', 'ready', { name })))).toEqual({
      state: 'waiting',
      by: names,
    })
  })
})

/** A simulated world with its first supervisor, for tests of the simulation itself. */
import type { SpawnSpec } from '@systemg/core'
import { createWorld, type Program, type SimulatedHost, type WorldOptions } from '@systemg/core/simulated'

/** A world in which every service runs the same program, and its first supervisor. */
export const worldOf = (program: Program, options: WorldOptions = {}) => {
  const world = createWorld({ programs: () => program, ...options })
  return { world, host: world.host() }
}

export const specOf = (host: SimulatedHost, more: Partial<SpawnSpec> = {}): SpawnSpec => ({
  argv: ['program'],
  env: { SYSG_SERVICE: 'api' },
  cwd: '/',
  stdout: 'null',
  stderr: 'null',
  inherit: [],
  token: host.token(),
  ...more,
})

export const start = async (host: SimulatedHost, more: Partial<SpawnSpec> = {}) => {
  const spawned = await host.processes.spawn(specOf(host, more))
  if (!('tree' in spawned)) throw new Error(spawned.message)
  return spawned
}

export const never = () => new AbortController().signal

/** What a promise has come to so far. */
export const stateOf = (promise: Promise<unknown>) => {
  const state = { is: 'pending' as 'pending' | 'resolved' | 'rejected' }
  promise.then(
    () => (state.is = 'resolved'),
    () => (state.is = 'rejected'),
  )
  return state
}

export const bytes = (text: string) => new TextEncoder().encode(text)

/** Programs of a simulation that spawn children, as real ones do: with the token of their environment. */
import type { Simulation } from '@systemg/core/testing'
import type { ChildView } from '@systemg/plugins/children'

export interface Spawned {
  readonly name: string
  readonly service: string
  readonly pid: number
  readonly id: string
}

export interface SpawnWishes {
  readonly ttl_ms?: number
  readonly env?: Readonly<Record<string, string>>
  readonly argv?: readonly string[]
  readonly token?: string
  readonly log_level?: string
}

/** A process asks for a child. Rejects with why it was refused. */
export const spawn = (sim: Simulation, pid: number, name: string, wishes: SpawnWishes = {}): Promise<Spawned> =>
  sim.finish(ask(sim, pid, name, wishes))

/** A process asks for so many at the same moment. Returns the names of those that were started. */
export const burst = async (sim: Simulation, pid: number, count: number, prefix = 'w'): Promise<readonly string[]> => {
  const names = Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`)
  const all = await sim.finish(Promise.allSettled(names.map((name) => ask(sim, pid, name))))
  return names.filter((_, index) => all[index]?.status === 'fulfilled')
}

/** The same without letting time pass, for programs. */
export const ask = async (sim: Simulation, pid: number, name: string, wishes: SpawnWishes = {}): Promise<Spawned> => {
  const process = sim.world.processes.list().find((one) => one.pid === pid)
  const { token = process?.token, argv = ['work'], env = {}, ...others } = wishes
  return (await sim.system.registries.methods.call('spawn', {
    ...{ token, name, argv, cwd: '/srv', env, ...others },
  })) as Spawned
}

/** The first process of a service. */
export const pidOf = (sim: Simulation, service: string): number => sim.service(service).pids[0] ?? 0

/** Children of a service, each with theirs: `w1(x y) w2`. */
export const treeOf = (sim: Simulation, service: string): string => drawn(sim.system.view([service])[0]?.children ?? [])

const drawn = (children: readonly ChildView[]): string =>
  children.map(({ name, children: below }) => (below.length === 0 ? name : `${name}(${drawn(below)})`)).join(' ')

/** What lives, by service, without the services of the config. */
export const livingChildren = (sim: Simulation): readonly string[] =>
  sim.world.processes.list().flatMap(({ service }) => (service?.includes(':') === true ? [service] : []))

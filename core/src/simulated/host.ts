/** One supervisor's view of a simulated world: the `Host` that the core and the plugins get. */
import type { Host } from '../host.ts'
import type { Faults } from './faults.ts'
import { createFiles, type FileTree } from './files.ts'
import type { Network } from './net.ts'
import { readPipe } from './output.ts'
import { ask, connectTo } from './peers.ts'
import { createProcesses, type ProcessesWorld } from './processes.ts'
import { createRandom, hexToken } from './random.ts'
import { runCommand } from './run.ts'
import { createStore, type StoredData } from './store.ts'
import type { Supervisor } from './supervisor.ts'

/** What hosts share, and what outlives them. */
export interface HostWorld extends ProcessesWorld {
  readonly faults: Faults
  readonly files: FileTree
  readonly network: Network
  readonly stored: StoredData
  readonly env: Host['env']
  readonly trace: Host['trace']
}

/** A host that can be killed: disposing of it is `world.crashSupervisor(host)`. */
export interface SimulatedHost extends Host, Disposable {
  /** The supervisor's own, and the parent of what it starts. */
  readonly pid: number
}

/** The host of a supervisor that has just started. `serial` keeps its random numbers apart from other hosts'. */
export const createHost = (world: HostWorld, supervisor: Supervisor, serial: number): SimulatedHost => {
  const { timeline, streams, seed } = world
  const tokens = createRandom(seed, `tokens ${serial}`)
  return {
    pid: supervisor.pid,
    clock: {
      now: () => timeline.now(),
      monotonic: () => timeline.monotonic(),
      timer: (delayMs, fire) => (supervisor.isAlive ? timeline.after(delayMs, fire, supervisor) : () => undefined),
    },
    random: createRandom(seed, `host ${serial}`),
    token: () => hexToken(tokens),
    env: world.env,
    processes: createProcesses(world, supervisor),
    run: (spec) => runCommand(world, supervisor, spec),
    output: (path, onChunk) =>
      supervisor.call('output', () =>
        readPipe(timeline, supervisor, streams.pipe(path), streams.writerOf(path), onChunk),
      ),
    files: createFiles(world.files, supervisor),
    store: createStore(world, supervisor),
    net: {
      ...world.network.netOf(supervisor),
      connect: (to, options) => connectTo(world, supervisor, to, options),
    },
    http: (request) => ask(world, supervisor, request),
    sockets: world.addresses.socketsOf(supervisor),
    trace: world.trace,
    [Symbol.dispose]: () => supervisor.kill(),
  }
}

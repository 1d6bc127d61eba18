/** The machine itself, as the `Host` that the core and the plugins work with. */
import { join } from 'node:path'
import type { Host, Trace } from '@systemg/core'
import { randomHex } from '../builtin.ts'
import { projectCgroups } from './project-cgroups.ts'
import { nodeClock } from './clock.ts'
import { connectionOf } from './connection.ts'
import { FifoMaker } from './fifo-maker.ts'
import { nodeFiles } from './files.ts'
import { KeptExits } from './kept-exits.ts'
import { createNet } from './net.ts'
import { keepsNothing, type HeldPipe, type HeldSocket, type Inheritance } from './held.ts'
import { Holder, type HolderSettings, type Trial } from './holder.ts'
import { openSocket } from './open-socket.ts'
import { createOutputs } from './output.ts'
import { createProcesses } from './processes.ts'
import type { PassedSocket } from './passed-sockets.ts'
import { run } from './run.ts'
import { createSockets } from './sockets.ts'
import { SpareDescriptors } from './spare-descriptors.ts'
import { openStore } from './store.ts'
import { UnfinishedKills } from './unfinished-kills.ts'

export interface NodeHostOptions {
  /** The project's state folder; made when missing. */
  readonly folder: string
  /** The environment that services inherit. Default: this process's. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Default: nobody listens. */
  readonly trace?: Trace
  /** Sockets that were opened for this process. Default: none. */
  readonly passed?: readonly PassedSocket[]
  /** What is to keep sockets and pipes open when this process dies. Default: nothing is. */
  readonly holder?: HolderSettings
  /** What this process got from the holder that started it. */
  readonly inheritance?: Inheritance | undefined
}

export interface NodeHost extends Host {
  /**
   * Everything that an earlier supervisor left and that is needed has been taken up. A process that keeps it open from now
   * on takes the place of the one of the earlier supervisor: `then` is called once there is one. Resolves when that
   * is done, or cannot be done yet.
   */
  takenUp(then: () => Promise<void>): Promise<void>
  /** Write what is pending, close the store and stop all timers. Processes go on. */
  dispose(): Promise<void>
  /** The same, but what is open stays so for the supervisor that comes next. */
  leave(): Promise<void>
  /**
   * The same, and that one is started as soon as this process has ended; if it does not take over, one like this process is.
   *
   * @throws when nothing can start it.
   */
  handOver(next: Trial): Promise<void>
}

/**
 * Make the host of one project. Only who holds the project's lock may: see `acquireLock`.
 *
 * @throws {SysgError} `SYSG_STATE_NEWER`. @throws {HostError} When the state folder can't be used.
 */
export const createNodeHost = (options: NodeHostOptions): NodeHost => {
  const { folder, env = process.env, trace = () => undefined, passed = [] } = options
  const store = openStore(folder, { trace })
  const exits = new KeptExits(join(folder, 'run', 'exits'))
  const cgroups = projectCgroups(folder, env, trace)
  const unfinished = new UnfinishedKills(join(folder, 'run', 'kills'))
  const { entries = [] } = options.inheritance ?? {}
  const holder =
    options.holder === undefined ? undefined : new Holder(options.holder, trace, options.inheritance?.entries)
  const keeper = holder ?? keepsNothing
  const processes = createProcesses(trace, { exits, cgroups, unfinished, keeper })
  const pipes = entries.filter((entry): entry is HeldPipe => entry.kind === 'fifo')
  const inherited = entries.filter((entry): entry is HeldSocket => entry.kind === 'socket')
  const sockets = createSockets({ trace, passed, keeper, inherited })
  const fifos = new FifoMaker(join(folder, 'run', 'spare-pipes'), keeper)
  const descriptors = new SpareDescriptors()
  const outputs = createOutputs({ trace, makeFifo: (at) => fifos.make(at) }, keeper, pipes)
  if (options.inheritance === undefined) holder?.replace()
  const close = async (): Promise<void> => {
    processes.dispose()
    cgroups.tidy()
    store.close()
    await fifos.close()
  }
  return {
    clock: nodeClock,
    random: () => Math.random(),
    token: () => randomHex(16),
    env: Object.freeze(definedIn(env)),
    processes,
    run: (spec) => run(spec, { trees: processes.trees, unfinished }),
    output(path, onChunk, takeUnseen) {
      descriptors.opened()
      return outputs.open(path, onChunk, takeUnseen)
    },
    files: nodeFiles,
    store,
    net: {
      ...createNet(descriptors),
      connect: async (to, options) => connectionOf(await openSocket(to, options, processes.trees)),
    },
    // Loaded with the first request: it costs a megabyte.
    http: async (request) => (await import('./http.ts')).ask(request, processes.trees),
    sockets,
    trace,
    async takenUp(then) {
      outputs.dropInherited()
      exits.sweep()
      const isHeld = holder?.replace() ?? true
      const done = (holder?.held ?? Promise.resolve()).then(then)
      if (isHeld) await done
    },
    async dispose() {
      sockets.dispose()
      await holder?.end()
      await close()
    },
    async leave() {
      holder?.leave()
      await close()
    },
    async handOver(next) {
      await holder?.handOver(next)
      await close()
    },
  }
}

const definedIn = (env: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined))

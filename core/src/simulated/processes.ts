/** The `Processes` port of one supervisor. */
import type {
  Adopted,
  Exit,
  ProcessInfo,
  Processes,
  Signal,
  SpawnFailure,
  SpawnSpec,
  Spawned,
  TreeRef,
  TreeUsage,
} from '../host.ts'
import { launch, type Machine } from './launch.ts'
import type { SimulatedProcess } from './process.ts'
import type { Program } from './program.ts'
import type { Supervisor } from './supervisor.ts'
import type { Timeline } from './timeline.ts'
import { membersOf, Sightings } from './tree.ts'

export interface ProcessesWorld extends Machine {
  readonly timeline: Timeline
  /** What a spec runs, faults included. */
  choose(spec: SpawnSpec): Program | SpawnFailure
}

/** How often a supervisor looks at a process that is not its child. */
const adoptedLookMs = 1000

export const createProcesses = (world: ProcessesWorld, supervisor: Supervisor): Processes => {
  const { table } = world
  const sightings = new Sightings()
  const members = (tree: TreeRef) => {
    const living = membersOf(table, tree, sightings.of(tree))
    if (living.length === 0) sightings.forget(tree)
    return living
  }

  const spawn = (spec: SpawnSpec): Spawned | SpawnFailure => {
    const program = world.choose(spec)
    if (typeof program !== 'function') return program
    const stdout = world.streams.sinkOf(spec.stdout)
    const stderr = world.streams.sinkOf(spec.stderr)
    if (typeof stdout !== 'function') return stdout
    if (typeof stderr !== 'function') return stderr
    const process = launch(world, program, {
      spec: { ...spec, env: { ...spec.env, SYSG_TOKEN: spec.token } },
      stdout,
      stderr,
      role: 'spawn',
      parentPid: supervisor.pid,
      parent: undefined,
      leader: undefined,
      root: undefined,
    })
    const { pid, startTime } = process
    const tree = { pid, startTime, token: spec.token, bootId: table.bootId }
    if (spec.keepsExit === true) table.keepExit(spec.token, process)
    return { tree, exited: exitOfChild(process, supervisor) }
  }

  const adopt = (tree: TreeRef): Adopted | undefined => {
    const process = table.find(tree)
    if (process === undefined || tree.bootId !== table.bootId || process.token !== tree.token) return undefined
    const exited = exitOfAdopted(process, supervisor, world.timeline, () => table.pastExit(tree.token))
    return { tree, exited, env: process.spec.env }
  }

  const send = (tree: TreeRef, signal: Signal): number => {
    let receivers = 0
    for (const process of members(tree)) {
      // One member's handler may have ended another.
      if (!process.isAlive) continue
      receivers++
      process.receive(signal)
    }
    return receivers
  }

  /** Looks again only when one that was seen in the tree has ended: until then, somebody is there. */
  const gone = (tree: TreeRef, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const seen = sightings.of(tree)
      const look = () => {
        if (membersOf(table, tree, seen).length > 0) return
        sightings.forget(tree)
        release()
        resolve()
      }
      const abort = () => {
        release()
        reject(signal.reason as Error)
      }
      const unwatch = table.watch((process, exit) => {
        if (exit !== undefined && seen.has(process)) look()
      })
      const unlink = supervisor.onKilled(() => release())
      const release = () => {
        unwatch()
        unlink()
        signal.removeEventListener('abort', abort)
      }
      signal.addEventListener('abort', abort)
      if (signal.aborted) abort()
      else look()
    })

  return {
    spawn: (spec) => supervisor.call('spawn', () => spawn(spec)),
    adopt: (tree) => supervisor.call('adopt', () => adopt(tree)),
    pastExit: (tree) => supervisor.call('pastExit', () => table.pastExit(tree.token)),
    members: (tree) => supervisor.call('members', () => members(tree).map(infoOf)),
    usage: (trees) => supervisor.call('usage', () => trees.map((tree) => usageOf(members(tree)))),
    own: () => ({
      cpuMs: 0,
      memoryBytes: 0,
      startedAt: supervisor.startedAt,
      openFiles: undefined,
      mostOpenFiles: undefined,
    }),
    signal: (tree, signal) => supervisor.call('signal', () => send(tree, signal)),
    gone: (tree, signal) => supervisor.call('gone', () => gone(tree, signal)),
    listening: (port) => supervisor.call('listening', () => world.addresses.listenersOn(port)?.map(infoOf)),
  }
}

const exitOfChild = (process: SimulatedProcess, supervisor: Supervisor): Promise<Exit> =>
  new Promise((resolve) => {
    process.onEnd((exit) => {
      if (supervisor.isAlive) resolve(exit)
    })
  })

/** Seen at the next look, and nobody can say how it ended unless that was kept. */
const exitOfAdopted = (
  process: SimulatedProcess,
  supervisor: Supervisor,
  timeline: Timeline,
  kept: () => Exit | undefined,
): Promise<Exit> => {
  const adoptedAtMs = timeline.elapsedMs
  return new Promise((resolve) => {
    process.onEnd(() => {
      const sinceLookMs = (timeline.elapsedMs - adoptedAtMs) % adoptedLookMs
      timeline.after(adoptedLookMs - sinceLookMs, () => {
        if (supervisor.isAlive) resolve(kept() ?? { code: null, signal: null, unknown: true })
      })
    })
  })
}

const infoOf = (process: SimulatedProcess): ProcessInfo => ({
  pid: process.pid,
  startTime: process.startTime,
  parentPid: process.parentPid,
  command: process.spec.argv.join(' '),
  memoryBytes: process.memoryBytes,
  cpuMs: process.cpuMs,
  uninterruptible: process.isUninterruptible,
})

const usageOf = (living: readonly SimulatedProcess[]): TreeUsage | undefined =>
  living.length === 0
    ? undefined
    : {
        cpuMs: living.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
        memoryBytes: living.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
        processes: living.length,
      }

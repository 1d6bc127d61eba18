/** One-shot commands: a process, its output, and its exit. */
import type { RunResult, RunSpec, SpawnFailure, SpawnSpec, TreeRef } from '../host.ts'
import { spawnFailure } from './faults.ts'
import { launch } from './launch.ts'
import type { SimulatedProcess } from './process.ts'
import type { ProcessesWorld } from './processes.ts'
import type { Supervisor } from './supervisor.ts'
import { membersOf } from './tree.ts'

const defaultKeepBytes = 64 * 1024

export const runCommand = (world: ProcessesWorld, supervisor: Supervisor, spec: RunSpec): Promise<RunResult> =>
  supervisor.call('run', () => run(world, supervisor, spec))

const run = (world: ProcessesWorld, supervisor: Supervisor, spec: RunSpec): RunResult | Promise<RunResult> => {
  if (spec.signal.aborted) return notStarted(spawnFailure('ECANCELED', 'it was called off before it began'))
  const program = world.choose(asSpawnSpec(spec))
  if (typeof program !== 'function') return notStarted(program)
  const output = new Tail(spec.keepBytes ?? defaultKeepBytes)
  const collect = (stream: 'stdout' | 'stderr') => (bytes: Uint8Array) => {
    output.add(bytes)
    spec.onOutput?.(stream, bytes)
  }
  const process = launch(world, program, {
    spec: { ...spec, inherit: [] },
    stdout: collect('stdout'),
    stderr: collect('stderr'),
    role: 'run',
    parentPid: supervisor.pid,
    parent: undefined,
    leader: undefined,
    root: undefined,
  })
  spec.onStarted?.(treeOf(world, process))
  const abort = () => killTree(world, process)
  spec.signal.addEventListener('abort', abort)
  const release = () => spec.signal.removeEventListener('abort', abort)
  const unlink = supervisor.onKilled(release)
  return new Promise((resolve) => {
    process.onEnd((exit) => {
      release()
      unlink()
      resolve({ exit, output: output.text() })
    })
  })
}

const notStarted = (failure: SpawnFailure): RunResult => ({ exit: { code: null, signal: null }, output: '', failure })

/**
 * Everything that descends from a command, by a mark of its own. One that runs with a service's mark can't have
 * another, so only its session and children are found.
 */
const killTree = ({ table }: ProcessesWorld, root: SimulatedProcess): void => {
  const members =
    root.token === undefined
      ? [...table.living()].filter((process) => process.root === root)
      : membersOf(table, treeOf({ table }, root), new WeakSet())
  for (const process of members) process.receive('SIGKILL')
}

const treeOf = ({ table }: Pick<ProcessesWorld, 'table'>, { pid, startTime }: SimulatedProcess): TreeRef => ({
  ...{ pid, startTime, token: '', bootId: table.bootId },
})

const asSpawnSpec = ({ argv, env, cwd }: RunSpec): SpawnSpec => ({
  argv,
  env,
  cwd,
  stdout: 'null',
  stderr: 'null',
  inherit: [],
  token: env['SYSG_TOKEN'] ?? '',
})

/** The last bytes of what was added. */
class Tail {
  readonly #keepBytes: number
  #kept = new Uint8Array(0)

  constructor(keepBytes: number) {
    this.#keepBytes = keepBytes
  }

  add(bytes: Uint8Array): void {
    const joined = new Uint8Array(this.#kept.length + bytes.length)
    joined.set(this.#kept)
    joined.set(bytes, this.#kept.length)
    this.#kept = joined.slice(Math.max(0, joined.length - this.#keepBytes))
  }

  text(): string {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.#kept)
  }
}

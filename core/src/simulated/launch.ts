/** Starts programs in processes, and gives them their controls. */
import type { Descriptor, SpawnSpec } from '../host.ts'
import type { Addresses } from './addresses.ts'
import type { ForkOptions, Program, ProgramControl } from './program.ts'
import type { ProcessTable } from './process-table.ts'
import type { ProcessOrigin, SimulatedProcess } from './process.ts'
import { createRandom } from './random.ts'
import type { Streams } from './streams.ts'

/** What a program's controls reach. */
export interface Machine {
  readonly table: ProcessTable
  readonly addresses: Addresses
  readonly streams: Streams
  readonly seed: number
}

/** A process that runs `program`, the leader of a group and session unless `origin` says otherwise. */
export const launch = (machine: Machine, program: Program, origin: Omit<ProcessOrigin, 'ref'>): SimulatedProcess => {
  const process = machine.table.add(origin)
  machine.addresses.inherit(origin.spec.inherit, process)
  program(controlOf(machine, process))
  return process
}

const encoder = new TextEncoder()

const controlOf = (machine: Machine, process: SimulatedProcess): ProgramControl => {
  const { argv, env, cwd, inherit } = process.spec
  // What it inherits stays open here, also when the supervisor closes its own.
  const pipes = inherit.map((descriptor) => machine.streams.pipeOf(descriptor))
  const random = createRandom(machine.seed, `process ${process.pid} ${process.startTime}`)
  const whenAlive = (act: () => void) => {
    if (process.isAlive) act()
  }
  return {
    pid: process.pid,
    argv,
    env,
    cwd,
    inherit,
    random,
    write: (data, stream = 'stdout') => whenAlive(() => process[stream](bytesOf(data), process)),
    writeTo: (descriptor, data) => whenAlive(() => pipes[descriptor - 3]?.write(bytesOf(data), process)),
    after: (delayMs, action) => process.after(delayMs, action),
    exit: (code = 0) => process.leave(code),
    die: (signal) => process.end({ code: null, signal }),
    onSignal: (signal, handler) => process.handle(signal, handler),
    fork: (program, options = {}) => fork(machine, process, program, options),
    uninterruptible: (state) => whenAlive(() => process.setUninterruptible(state)),
    use: (amounts) => whenAlive(() => void Object.assign(process, amounts)),
    bind: (address) => process.isAlive && machine.addresses.bind(address, process),
    answer: (address, answer) => process.isAlive && machine.addresses.serve(address, process, answer),
  }
}

const bytesOf = (data: string | Uint8Array): Uint8Array =>
  typeof data === 'string' ? encoder.encode(data) : new Uint8Array(data)

const fork = (machine: Machine, parent: SimulatedProcess, program: Program, options: ForkOptions) => {
  if (!parent.isAlive) return { pid: 0, isAlive: () => false, kill: () => undefined }
  const spec: Pick<SpawnSpec, 'argv' | 'env' | 'cwd'> & { inherit: readonly Descriptor[] } = {
    ...parent.spec,
    argv: options.argv ?? parent.spec.argv,
    env: options.clearEnv === true ? {} : parent.spec.env,
  }
  const child = launch(machine, program, {
    spec,
    stdout: parent.stdout,
    stderr: parent.stderr,
    role: 'fork',
    parentPid: options.reparent === true ? 1 : parent.pid,
    parent: options.reparent === true ? undefined : parent,
    leader: options.setsid === true ? undefined : parent.leader,
    root: parent.root,
  })
  return { pid: child.pid, isAlive: () => child.isAlive, kill: child.receive.bind(child) }
}

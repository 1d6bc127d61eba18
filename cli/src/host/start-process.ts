/** Starts a process as leader of a session of its own, with descriptors instead of streams. */
import type { ChildProcess } from 'node:child_process'
import type { Exit, Signal, SpawnFailure, SpawnSpec, Stream } from '@systemg/core'
import { childProcess } from '../builtin.ts'
import { fdOf } from './descriptor.ts'
import type { Keeper } from './held.ts'
import { readStat } from './process-stat.ts'
import { spawnFailure, wrappedFailure } from './spawn-failure.ts'

export interface Started {
  readonly pid: number
  readonly startTime: number
  readonly exited: Promise<Exit>
  readonly child: ChildProcess
}

/** Start it, once what it gets is kept open. The mark is put into its environment when the caller has not done so. */
export const startProcess = async (spec: SpawnSpec, keeper: Keeper): Promise<Started | SpawnFailure> => {
  const failure = wrappedFailure(spec)
  if (failure !== undefined) return failure
  try {
    await keeper.secured(descriptorsOf(spec))
    const [program, ...args] = spec.argv
    const child = childProcess().spawn(program, args, {
      cwd: spec.cwd,
      env: { ...spec.env, SYSG_TOKEN: spec.token },
      detached: true,
      stdio: ['ignore', stdioOf(spec.stdout, 1), stdioOf(spec.stderr, 2), ...spec.inherit.map(fdOf)],
    })
    return await identify(child)
  } catch (thrown) {
    return spawnFailure(spec, thrown)
  }
}

/** @throws What `spawn` could not do. A child that cannot be identified is killed: it could never be stopped safely. */
const identify = async (child: ChildProcess): Promise<Started> => {
  const { pid } = child
  if (pid === undefined) {
    return await new Promise((_, reject) => child.once('error', reject))
  }
  child.on('error', () => undefined)
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal: signal as Signal | null }))
  })
  try {
    // Until the event loop turns, even a process that has already ended is there as a zombie.
    const stat = readStat(pid)
    if (stat === undefined) throw new Error('/proc does not show the process')
    return { pid, startTime: stat.startTime, exited, child }
  } catch (thrown) {
    child.kill('SIGKILL')
    throw thrown
  }
}

const descriptorsOf = ({ stdout, stderr, inherit }: SpawnSpec): readonly number[] =>
  [stdout, stderr, ...inherit].filter((one) => typeof one !== 'string').map(fdOf)

const stdioOf = (stream: Stream, number: 1 | 2): 'ignore' | number => {
  if (stream === 'null') return 'ignore'
  return stream === 'inherit' ? number : fdOf(stream)
}

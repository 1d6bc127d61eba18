/**
 * Runs a command to its end and keeps the last of its output: hooks, `skip`, `pre_start`, probes.
 *
 * The command leads a session of its own, so that aborting it ends whatever it has started. What it leaves running in
 * the background after a normal end is its own affair, and not waited for.
 */
import type { ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { Exit, ProcessRef, RunResult, RunSpec, Signal, TreeRef } from '@systemg/core'
import { randomHex } from '../builtin.ts'
import { killMembers, type KillTools } from './kill-members.ts'
import { bootId } from './kernel.ts'
import { commandMark } from './process-environment.ts'
import { readStat } from './process-stat.ts'
import { spawnFailure } from './spawn-failure.ts'
import { Tail } from './tail.ts'

const defaultKeepBytes = 64 * 1024
/** How long to wait for more output when background processes keep the command's output open. */
const quietMs = 50
const readLimitMs = 1000
/** A process that SIGKILL does not end within this time is left to the kernel. */
const killLimitMs = 5000
const killAgainMs = 50

const killed: Exit = { code: null, signal: 'SIGKILL' }
const notStarted: Exit = { code: null, signal: null }

/** Run it. Whatever happens is in the result: it never rejects. */
export const run = async (spec: RunSpec, tools: KillTools): Promise<RunResult> => {
  try {
    return await runToEnd(spec, tools)
  } catch (thrown) {
    return { exit: notStarted, output: '', failure: spawnFailure(spec, thrown) }
  }
}

const runToEnd = async (spec: RunSpec, tools: KillTools): Promise<RunResult> => {
  // Loaded with the first command: it costs more than the rest of the host.
  const { execa } = await import('execa')
  if (spec.signal.aborted) {
    return {
      exit: notStarted,
      output: '',
      failure: { errno: 'ECANCELED', message: 'it was called off before it began' },
    }
  }
  const tail = new Tail(spec.keepBytes ?? defaultKeepBytes)
  const [program, ...args] = spec.argv
  // A mark of its own: if it carries a service's token as well, the service is not part of it.
  const token = randomHex(16)
  const command = execa(program, args, {
    cwd: spec.cwd,
    env: { ...spec.env, [commandMark]: token },
    extendEnv: false,
    stdin: 'ignore',
    detached: true,
    cleanup: false,
    reject: false,
    buffer: false,
    encoding: 'buffer',
  })
  const { nodeChildProcess: child } = command
  if (child.pid === undefined) throw (await command).cause
  const tree: TreeRef = { ...identify(child), token, bootId: bootId() }
  tools.trees.track(tree)
  spec.onStarted?.(tree)
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal: signal as Signal | null }))
  })
  const output = collect(command, tail, spec.onOutput)
  const exit = await endOf(exited, tree, spec.signal, tools)
  await output.settled()
  child.unref()
  return { exit, output: tail.toString() }
}

const identify = (child: ChildProcess): ProcessRef => {
  try {
    const stat = readStat(child.pid ?? -1)
    if (stat === undefined) throw new Error('/proc does not show the process')
    return { pid: stat.pid, startTime: stat.startTime }
  } catch (thrown) {
    child.kill('SIGKILL')
    throw thrown
  }
}

/** The command's own end, or that of its whole tree when it is called off first. */
const endOf = async (exited: Promise<Exit>, tree: TreeRef, signal: AbortSignal, tools: KillTools): Promise<Exit> => {
  const { promise: aborted, resolve } = Promise.withResolvers<undefined>()
  const onAbort = (): void => resolve(undefined)
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) onAbort()
  const exit = await Promise.race([exited, aborted])
  signal.removeEventListener('abort', onAbort)
  if (exit !== undefined) return exit
  await killTree(tree, tools)
  return killed
}

const killTree = async (tree: TreeRef, tools: KillTools): Promise<void> => {
  const limit = AbortSignal.timeout(killLimitMs)
  while (!limit.aborted) {
    await killMembers(tree, tools)
    const again = AbortSignal.any([limit, AbortSignal.timeout(killAgainMs)])
    const isGone = await tools.trees.gone(tree, again).then(
      () => true,
      () => false,
    )
    if (isGone) return
  }
}

/** Read streams into the tail. `settled` waits for their ends, or for silence when somebody else keeps them open. */
const collect = (
  { stdout, stderr }: { readonly stdout: Readable; readonly stderr: Readable },
  tail: Tail,
  onOutput: RunSpec['onOutput'],
): { settled(): Promise<void> } => {
  let lastChunkMs = 0
  const streams = [stdout, stderr]
  const ended = Promise.all(
    streams.map((stream) => {
      stream.on('data', (chunk: Buffer) => {
        lastChunkMs = performance.now()
        tail.push(chunk)
        onOutput?.(stream === stdout ? 'stdout' : 'stderr', chunk)
      })
      stream.on('error', () => undefined)
      return new Promise<void>((resolve) => stream.once('close', resolve))
    }),
  )
  const settled = async (): Promise<void> => {
    lastChunkMs = performance.now()
    const { promise: quiet, resolve } = Promise.withResolvers<undefined>()
    const limitMs = performance.now() + readLimitMs
    const timer = setInterval(() => {
      const nowMs = performance.now()
      if (nowMs - lastChunkMs >= quietMs || nowMs >= limitMs) resolve(undefined)
    }, quietMs)
    await Promise.race([ended, quiet])
    clearInterval(timer)
    for (const stream of streams) stream.destroy()
  }
  return { settled }
}

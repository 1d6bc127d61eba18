/** A supervisor that answers as told, on a real socket with the real protocol, and a command that asks it. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { ControlMethod } from '@systemg/core'
import type { Command, CommandContext } from '../../../cli/src/command.ts'
import type { ExitCode } from '../../../cli/src/exit-codes.ts'
import { connectionOf } from '../../../cli/src/host/connection.ts'
import { parseFor } from '../../../cli/src/parse.ts'
import { projectPaths, type ProjectPaths } from '../../../cli/src/project/state-root.ts'
import { controlOptions } from '../../../plugins/src/control/options.ts'
import { Sessions } from '../../../plugins/src/control/server.ts'
import { fakeTerminal, type FakeOptions, type FakeTerminal } from '../terminal/fake-terminal.ts'

export interface FakeSupervisor extends AsyncDisposable {
  /** Parameters of every call, by method. */
  readonly calls: readonly { readonly method: string; readonly params: unknown }[]
  /** As a supervisor does when it ends. */
  end(): Promise<void>
}

/** A state root of its own, with one project `shop` in it. */
export const stateRoot = (): { readonly root: string; readonly paths: ProjectPaths } & Disposable => {
  const root = mkdtempSync(join(tmpdir(), 'sysg-'))
  return {
    root,
    paths: projectPaths(root, 'shop'),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
}

export const startSupervisor = async (
  paths: ProjectPaths,
  methods: Readonly<Record<string, ControlMethod>>,
): Promise<FakeSupervisor> => {
  const calls: { method: string; params: unknown }[] = []
  const all: Record<string, ControlMethod> = { ping: () => ({ pid: 4711, version: '0.1.0', project: paths.id }), ...methods }
  const limits = controlOptions.parse({})
  const sessions = new Sessions(
    { timer: (ms, fire) => unref(setTimeout(fire, ms)) },
    { ...limits, waitingLength: limits.waiting_length, frameMs: limits.frame_ms, goodbyeMs: limits.goodbye_ms },
    (method) => {
      const known = all[method]
      return known === undefined
        ? undefined
        : (params, call) => {
            if (method !== 'ping') calls.push({ method, params })
            return known(params, call)
          }
    },
  )
  mkdirSync(dirname(paths.socket), { recursive: true })
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    sessions.accept(connectionOf(socket))
  })
  await new Promise<void>((resolve) => server.listen(paths.socket, resolve))
  const end = async (): Promise<void> => {
    server.close()
    await sessions.close()
    for (const socket of sockets) socket.destroy()
  }
  return { calls, end, [Symbol.asyncDispose]: end }
}

/** Run a command with these words, in this state root. */
export const begin = (
  root: string,
  command: Command,
  name: string,
  words: readonly string[],
  options: FakeOptions = {},
): { readonly terminal: FakeTerminal; readonly done: Promise<ExitCode> } => {
  const terminal = fakeTerminal(options)
  const { typed, globals } = parseFor(name, command, ['-p', 'shop', ...words])
  const context: CommandContext = { typed, globals, terminal, env: { SYSG_HOME: root }, cwd: root }
  return { terminal, done: command.run(context) }
}

/** Run a command to its end. */
export const run = async (...args: Parameters<typeof begin>) => {
  const { terminal, done } = begin(...args)
  const exitCode = await done
  return { terminal, exitCode, stdout: terminal.stdout, stderr: terminal.stderr }
}

/** Resolves when the call is to end; what methods that follow wait for. */
export const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

const unref = (timer: NodeJS.Timeout): (() => void) => {
  timer.unref()
  return () => clearTimeout(timer)
}

/** A supervisor that answers as told, on a real socket with the real protocol, and a command that asks it. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { ControlMethod } from '@systemg/core'
import type { Command, CommandContext } from '../../../cli/src/command.ts'
import { connectionOf } from '../../../cli/src/host/connection.ts'
import { parseFor } from '../../../cli/src/parse.ts'
import { projectPaths, type ProjectPaths } from '../../../cli/src/project/state-root.ts'
import { controlDefaults } from '../../../plugins/src/control/defaults.ts'
import { Sessions, type ServerLimits } from '../../../plugins/src/control/server.ts'
import { fakeTerminal, type FakeOptions, type FakeTerminal } from '../terminal/fake-terminal.ts'

interface FakeSupervisor {
  /** Parameters of every call, by method. */
  readonly calls: readonly { readonly method: string; readonly params: unknown }[]
  /** Connections that are open. */
  readonly connections: number
  /** As a supervisor does when it ends. */
  end(): Promise<void>
}

/** A state root of its own, for one project `shop`. */
export interface Home extends AsyncDisposable {
  readonly root: string
  readonly paths: ProjectPaths
  /** Start a supervisor of the project that has these methods, and `ping`. */
  supervise(methods: Readonly<Record<string, ControlMethod>>): Promise<FakeSupervisor>
}

export const stateRoot = (): Home => {
  const root = mkdtempSync(join(tmpdir(), 'sysg-'))
  const paths = projectPaths(root, 'shop')
  const started: FakeSupervisor[] = []
  return {
    root,
    paths,
    async supervise(methods) {
      const supervisor = await startSupervisor(paths, methods)
      started.push(supervisor)
      return supervisor
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(started.map((supervisor) => supervisor.end()))
      rmSync(root, { recursive: true, force: true })
    },
  }
}

const startSupervisor = async (
  paths: ProjectPaths,
  methods: Readonly<Record<string, ControlMethod>>,
): Promise<FakeSupervisor> => {
  const calls: { method: string; params: unknown }[] = []
  const all: Record<string, ControlMethod> = {
    ping: () => ({ pid: 4711, version: '0.1.0', project: paths.id }),
    ...methods,
  }
  const sessions = new Sessions({ timer: (ms, fire) => unref(setTimeout(fire, ms)) }, defaultLimits(), (method) => {
    const known = all[method]
    return known === undefined
      ? undefined
      : (params, call) => {
          if (method !== 'ping') calls.push({ method, params })
          return known(params, call)
        }
  })
  mkdirSync(dirname(paths.socket), { recursive: true })
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    sessions.accept(connectionOf(socket))
  })
  await new Promise<void>((resolve) => server.listen(paths.socket, resolve))
  const end = async (): Promise<void> => {
    server.close()
    await sessions.close()
    for (const socket of sockets) socket.destroy()
  }
  return {
    calls,
    end,
    get connections() {
      return sockets.size
    },
  }
}

/** Run a command with these words, in this state root. */
export const begin = (
  root: string,
  command: Command,
  name: string,
  words: readonly string[],
  options: FakeOptions = {},
): { readonly terminal: FakeTerminal; readonly done: Promise<number> } => {
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

/** The server names its limits as its options are named, in its own spelling. */
const defaultLimits = (): ServerLimits =>
  Object.fromEntries(
    Object.entries(controlDefaults).map(([key, value]) => [
      key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  ) as unknown as ServerLimits

const unref = (timer: NodeJS.Timeout): (() => void) => {
  timer.unref()
  return () => clearTimeout(timer)
}

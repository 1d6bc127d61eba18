/** A node host in a folder of its own, which ends whatever a test has started. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, vi } from 'vitest'
import type { Spawned, SpawnFailure, SpawnSpec } from '@systemg/core'
import { createNodeHost, type NodeHost } from '../../../cli/src/host/index.ts'

export const programs = join(import.meta.dirname, '../../e2e/programs')

export interface TestHost extends AsyncDisposable {
  readonly host: NodeHost
  readonly folder: string
  /** Warnings and errors of the host's trace. */
  readonly warnings: readonly string[]
  /** Start a program that must start. Its token is its own. */
  start(argv: SpawnSpec['argv'], spec?: Partial<SpawnSpec>): Promise<Spawned>
  /** Start a program that may fail. */
  spawn(argv: SpawnSpec['argv'], spec?: Partial<SpawnSpec>): Promise<Spawned | SpawnFailure>
}

/** Processes take their time on a busy machine. */
vi.setConfig({ testTimeout: 20_000 })

const folders = new Set<string>()
afterAll(() => folders.forEach(removeFolder))

/** An empty folder, removed at the end of the test file at the latest. */
export const testFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'sysg-host-'))
  folders.add(folder)
  return folder
}

export const removeFolder = (folder: string): void => {
  folders.delete(folder)
  rmSync(folder, { recursive: true, force: true })
}

export const testHost = (folder = testFolder()): TestHost => {
  const warnings: string[] = []
  const trace = (level: string, message: string): void => {
    if (['warn', 'error'].includes(level)) warnings.push(message)
  }
  const host = createNodeHost({ folder, trace })
  const started: Spawned[] = []

  const spawn: TestHost['spawn'] = async (argv, spec = {}) => {
    const token = spec.token ?? host.token()
    const env = { PATH: process.env['PATH'] ?? '', SYSG_TOKEN: token }
    const defaults = { argv, env, cwd: folder, stdout: 'null', stderr: 'null', inherit: [], token } as const
    const result = await host.processes.spawn({ ...defaults, ...spec })
    if ('tree' in result) started.push(result)
    return result
  }

  return {
    host,
    folder,
    warnings,
    spawn,
    async start(argv, spec) {
      const result = await spawn(argv, spec)
      if ('errno' in result) throw new Error(`${result.errno}: ${result.message}`)
      return result
    },
    async [Symbol.asyncDispose]() {
      const limit = AbortSignal.timeout(5000)
      await Promise.all(started.map(({ tree }) => host.processes.signal(tree, 'SIGKILL')))
      await Promise.all(started.map(({ tree }) => host.processes.gone(tree, limit)))
      await host.dispose()
      removeFolder(folder)
    },
  }
}

/**
 * Resolves with the first answer that is neither `undefined` nor `false`. Rejects after ten seconds, before the test's
 * own limit, so that what the test has started is still ended.
 */
export const until = async <T>(question: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> => {
  for (const limitMs = performance.now() + 10_000; performance.now() < limitMs;) {
    const answer = await question()
    if (answer !== undefined && answer !== false) return answer
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  throw new Error(`never came true: ${question.toString()}`)
}

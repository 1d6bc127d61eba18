/** What a supervisor that was killed leaves behind. */
import { spawn, type ChildProcess } from 'node:child_process'
import type { Durable } from '@systemg/core'
import { bootId } from '../../../cli/src/host/kernel.ts'
import { readStat } from '../../../cli/src/host/process-stat.ts'
import { openStore } from '../../../cli/src/host/store.ts'
import type { ProjectPaths } from '../../../cli/src/project/state-root.ts'

/** A program that lives until the test ends. */
export const survivor = async (): Promise<{ pid: number; startTime: number } & AsyncDisposable> => {
  const child: ChildProcess = spawn('sleep', ['600'], { stdio: 'ignore' })
  await new Promise((resolve) => child.once('spawn', resolve))
  const pid = child.pid ?? 0
  return {
    pid,
    startTime: readStat(pid)?.startTime ?? 0,
    async [Symbol.asyncDispose]() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await ended
    },
  }
}

export const instanceRecord = (name: string, at: { pid: number; startTime: number }, set: object = {}): Durable => ({
  id: `${name}-3`,
  service: { name, argv: ['sleep', '600'], stop_signal: 'SIGTERM', stop_timeout: 10_000, depends_on: { db: {} } },
  replica: 0,
  role: 'active',
  token: 'none',
  tree: { ...at, token: 'none', bootId: bootId() },
  startedAt: Date.now() - 60_000,
  wasReady: true,
  restarts: 2,
  ...set,
})

export const record = (
  paths: ProjectPaths,
  tables: Readonly<Record<string, Readonly<Record<string, Durable>>>>,
  events: readonly { seq: number; time: string }[] = [],
  checkpoints: readonly { seq: number; timeMs: number; past: unknown }[] = [],
): void => {
  const store = openStore(paths.folder)
  for (const [name, entries] of Object.entries(tables)) {
    for (const [key, value] of Object.entries(entries)) store.table(name).set(key, value)
  }
  for (const event of events) store.log('events').append(event.seq, Date.parse(event.time), event)
  for (const { seq, timeMs, past } of checkpoints) store.log('checkpoints').append(seq, timeMs, past as Durable)
  store.close()
}

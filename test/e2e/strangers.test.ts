/** A pid that was given to somebody else while no supervisor ran: that process is neither taken up nor signalled. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it, onTestFinished } from 'vitest'
import { isAlive, Sandbox, until } from './sysg.ts'

const startTimeOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/.*\) /s, '').split(' ')[19])

/** A process of its own session, as a service is, that is none of ours. */
const stranger = async (env: Readonly<Record<string, string>>): Promise<ChildProcess & { pid: number }> => {
  const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore', env })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child, 'spawn')
  return child as ChildProcess & { pid: number }
}

/** Change what is recorded of the process of `api`. */
const record = (box: Sandbox, changes: Readonly<Record<string, number>>): void => {
  const [project = ''] = readdirSync(box.home).filter((name) => name !== 'by-config')
  const database = new DatabaseSync(join(box.home, project, 'state.db'))
  const [row] = database.prepare("SELECT key, value FROM entries WHERE name = 'instances'").all()
  const value = JSON.parse(String(row?.['value'])) as { tree: Record<string, unknown> }
  Object.assign(value.tree, changes)
  database
    .prepare("UPDATE entries SET value = ? WHERE name = 'instances' AND key = ?")
    .run(JSON.stringify(value), String(row?.['key']))
  database.close()
}

it.each([
  { what: 'the same pid, started at another time', token: 'none', isSameTime: false },
  { what: 'the same pid and time, and another token', token: 'of-another-system', isSameTime: true },
])('$what', async ({ token, isSameTime }) => {
  await using box = new Sandbox()
  box.config('respawn: false\nservices: { api: { command: sleep 2000, restart_policy: always, backoff: 50ms } }')
  for (const command of [['start', '-d'], ['stop']]) {
    await box.sysg('start', '-d')
    const { supervisor } = await box.status()
    const before = await box.pid('api')
    process.kill(supervisor.pid, 'SIGSTOP')
    process.kill(before, 'SIGKILL')
    process.kill(supervisor.pid, 'SIGKILL')
    await until(
      () => [supervisor.pid, before].filter(isAlive),
      (living) => living.length === 0,
    )
    const other = await stranger({ SYSG_TOKEN: token })
    record(box, { pid: other.pid, ...(isSameTime ? { startTime: startTimeOf(other.pid) } : {}) })
    expect(await box.run('status')).toMatchObject({ code: 3 })
    expect((await box.status()).services.map(({ state, pid }) => [state, pid])).toEqual([
      ['ended (unsupervised)', null],
    ])
    expect(await box.run(...command)).toMatchObject({ code: 0 })
    if (command[0] === 'start') {
      await until(
        () => box.states(),
        ({ api }) => api === 'running',
      )
      expect(await box.pid('api')).not.toBe(other.pid)
    }
    expect(await box.run('stop')).toMatchObject({ code: 0 })
    expect(isAlive(other.pid)).toBe(true)
  }
  expect(box.processes()).toEqual([])
})

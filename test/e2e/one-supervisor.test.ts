/** One supervisor per project: whoever else starts one, whatever an earlier one has left, and also when it is frozen. */
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { commandOf, isAlive, Sandbox, until } from './sysg.ts'

const config = 'services: { api: { command: sleep 1000 }, web: { command: sleep 1000, depends_on: [api] } }'

const supervisors = (box: Sandbox): readonly number[] =>
  box.processes().filter((pid) => commandOf(pid).includes('__supervise') && !box.holders().includes(pid))

const runFolder = (box: Sandbox): string => {
  const [project = ''] = readdirSync(box.home).filter((name) => name !== 'by-config')
  return join(box.home, project, 'run')
}

it('twenty starts at once are one supervisor, and twenty successes', async () => {
  await using box = new Sandbox()
  box.config(config)
  const starts = await Promise.all(Array.from({ length: 20 }, () => box.run('start', '-d')))
  expect(starts.filter(({ code }) => code !== 0)).toEqual([])
  await until(
    () => supervisors(box).length,
    (count) => count === 1,
  )
  expect(box.processes().filter((pid) => commandOf(pid) === 'sleep 1000 ')).toHaveLength(2)
  expect(await box.run('stop')).toMatchObject({ code: 0 })
  expect(box.processes()).toEqual([])
})

it('stale files never stop a start', async () => {
  await using box = new Sandbox()
  box.config(config)
  await box.sysg('start', '-d')
  await box.sysg('stop')
  const run = runFolder(box)
  const stale: Readonly<Record<string, (path: string) => void>> = {
    'control.sock': (path) => writeFileSync(path, 'no socket'),
    'socket-path': (path) => writeFileSync(path, '/nowhere/at/all.sock'),
    'holder.json': (path) =>
      writeFileSync(path, JSON.stringify({ pid: process.pid, startTime: 1, door: join(run, 'holder-1-1.door') })),
    'holder-1-1.json': (path) => writeFileSync(path, '[{"kind":"fifo","label":"x","fd":99}, garbage'),
    'holder-1-1.door': (path) => writeFileSync(path, ''),
    'comeback.json': (path) => writeFileSync(path, '{ "comeback": '),
    'code.json': (path) => writeFileSync(path, '\0\0'),
    '../lock.db': (path) => writeFileSync(path, 'this is no database, and long enough to be taken for one'.repeat(100)),
    '../lock.db-journal': (path) => writeFileSync(path, 'nor is this a journal'),
  }
  for (const [name, make] of Object.entries(stale)) {
    mkdirSync(run, { recursive: true })
    const path = join(run, name)
    rmSync(path, { force: true, recursive: true })
    make(path)
    expect([name, await box.run('start', '-d')]).toMatchObject([name, { code: 0 }])
    expect([name, await box.run('stop')]).toMatchObject([name, { code: 0 }])
  }
  rmSync(join(run, 'control.sock'), { force: true })
  symlinkSync('/nowhere/at/all', join(run, 'control.sock'))
  expect(await box.run('start', '-d')).toMatchObject({ code: 0 })
})

it('a frozen one makes every command say so, each in its time', async () => {
  await using box = new Sandbox()
  const slow = `{ command: "trap 'sleep 1000' TERM; while :; do sleep 0.1; done" }`
  box.config(`services: { api: { command: sleep 1000 }, slow: ${slow} }`)
  await box.sysg('start', '-d')
  const { supervisor } = await box.status()
  const begun = box.run('restart', '-s', 'slow')
  await until(
    () => box.states(),
    ({ slow }) => slow === 'stopping',
  )
  process.kill(supervisor.pid, 'SIGSTOP')
  const commands = [
    ['status'],
    ['status', '--all'],
    ['start', '-d'],
    ['start'],
    ['start', '-s', 'api'],
    ['start', '--', 'sleep', '1'],
    ['stop'],
    ['stop', '-s', 'api'],
    ['restart'],
    ['restart', '-s', 'api'],
    ['scale', 'api=2'],
    ['plan'],
    ['logs'],
    ['logs', '-f'],
    ['events'],
  ]
  const results = await Promise.all(commands.map(async (command) => ({ command, ...(await box.run(...command)) })))
  for (const { command, code, stderr, stdout } of results) {
    expect([command, code]).toEqual([command, 6])
    expect([command, `${stdout}${stderr}`]).toEqual([command, expect.stringContaining('did not answer within')])
  }
  // Also those that it had begun.
  expect(await begun).toMatchObject({ code: 6, stderr: expect.stringContaining('it was stopped (SIGSTOP)') as string })
  expect(isAlive(supervisor.pid)).toBe(true)
  process.kill(supervisor.pid, 'SIGCONT')
  expect((await box.status()).supervisor.pid).toBe(supervisor.pid)
})

/** What belongs to no service any more: shown by `status --all`, removed by `purge`, with and without a supervisor. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { isAlive, Sandbox, until } from './sysg.ts'

const two = 'services: { api: { command: "echo api; exec sleep 1000" }, old: { command: "echo old; exec sleep 1000" } }'
const one = 'services: { api: { command: "echo api; exec sleep 1000" } }'

/** State folder of the only project. */
const stateOf = (box: Sandbox): string => {
  const [id = ''] = readdirSync(box.home).filter((name) => name !== 'by-config')
  return join(box.home, id)
}

const killSupervisor = async (box: Sandbox): Promise<void> => {
  const { pid } = (await box.status()).supervisor
  process.kill(pid, 'SIGKILL')
  await until(
    () => isAlive(pid),
    (alive) => !alive,
  )
}

it('what a removed service left goes, while the system runs on; what is in the config stays', async () => {
  await using box = new Sandbox()
  box.config(two)
  await box.sysg('start', '-d')
  await box.sysg('stop', '-s', 'old')
  const pid = await box.pid('api')
  box.config(one)
  await box.sysg('start', '-d')
  const shown = await box.sysg('status', '--all')
  expect(shown).toContain('No longer in the config, but still kept: old (intent, logs).')
  expect(await box.sysg('purge')).toBe('Removed what was kept of old (intent, logs).\n')
  expect(await box.sysg('status', '--all')).not.toContain('old')
  expect(await box.sysg('purge')).toContain('Nothing to remove')
  expect(await box.pid('api')).toBe(pid)
  expect(await box.sysg('logs', 'api', '--no-prefix')).toBe('api\n')
})

it('the same without a supervisor; a config with a mistake removes nothing', async () => {
  await using box = new Sandbox()
  box.config(two)
  await box.sysg('start', '-d')
  await box.sysg('stop')
  box.config('services: { api: { comand: "x" } }')
  expect((await box.run('purge')).stdout).toContain('Nothing to remove')
  expect(existsSync(join(stateOf(box), 'logs', 'old'))).toBe(true)
  box.config(one)
  expect(await box.sysg('purge')).toBe('Removed what was kept of old (logs).\n')
  expect(readdirSync(join(stateOf(box), 'logs'))).toContain('api')
})

it('a project whose config is gone: its processes are ended and its state goes, whoever asks', async () => {
  await using box = new Sandbox()
  const project = join(box.folder, 'project')
  mkdirSync(project)
  const config = join(project, 'systemg.yaml')
  writeFileSync(config, `respawn: false\n${one}`)
  await box.sysg('start', '-d', '-c', config)
  const { services, supervisor } = JSON.parse(await box.sysg('status', '--json', '-c', config)) as {
    services: readonly { pid: number }[]
    supervisor: { pid: number }
  }
  const pid = services[0]?.pid ?? 0
  rmSync(project, { recursive: true })
  expect(await box.sysg('status', '--all')).toContain('Its config is gone; `sysg stop -p project-')
  // While a supervisor looks after it, it is somebody's.
  expect(await box.sysg('purge', '--all')).toContain('Nothing to remove')
  process.kill(supervisor.pid, 'SIGKILL')
  await until(
    () => box.run('status', '--all'),
    ({ stdout }) => stdout.includes('running (unsupervised)') && stdout.includes('Its config is gone.'),
  )
  expect(await box.sysg('purge', '--all')).toMatch(/^project-\w+: Removed everything of `project-\w+`\.\n$/)
  expect(isAlive(pid)).toBe(false)
  expect((await box.run('status', '--all')).stdout).toBe('')
  expect(box.processes()).toEqual([])
})

it('processes whose state was removed are found by their mark and ended; others are left alone', async () => {
  await using box = new Sandbox()
  box.config(`respawn: false\n${one}`)
  await box.sysg('start', '-d')
  const pid = await box.pid('api')
  await killSupervisor(box)
  const stranger = spawn('sleep', ['1000'], { env: { SYSG_TOKEN: 'abc', SYSG_SOCKET: '/elsewhere' }, stdio: 'ignore' })
  for (const name of readdirSync(stateOf(box))) if (name.startsWith('state.db')) rmSync(join(stateOf(box), name))
  const { stdout } = await box.run('status', '--all')
  expect(stdout).toContain(`Processes that belong to no service any more: ${pid} (sleep 1000).`)
  expect(await box.sysg('purge')).toContain(`Ended what belonged to no service: ${pid} (sleep 1000).`)
  expect(isAlive(pid)).toBe(false)
  expect(isAlive(stranger.pid ?? 0)).toBe(true)
  stranger.kill('SIGKILL')
})

it('--force stops the system and removes everything of it; then it starts anew', async () => {
  await using box = new Sandbox()
  box.config(one)
  await box.sysg('start', '-d')
  const pid = await box.pid('api')
  expect((await box.run('purge', '--force', '--all')).code).toBe(2)
  expect(await box.sysg('purge', '--force')).toMatch(/Removed everything of `[\w-]+`\.\n$/)
  expect(isAlive(pid)).toBe(false)
  expect(readdirSync(stateOf(box))).toEqual(['lock.db'])
  await box.sysg('start', '-d')
  expect(await box.states()).toEqual({ api: 'running' })
})

/** `sysg status --at`: what the events in the database tell is what the supervisor shows. */
import type { ServiceView } from '@systemg/core'
import { expect, it } from 'vitest'
import { Sandbox, until } from './sysg.ts'

const config = `
services:
  db: { command: sleep 1000, health_check: { command: "true", interval: 1s } }
  api: { command: sleep 1000, depends_on: [db], replicas: 2 }
  once: { command: "true" }
  broken: { command: "exit 3", restart_policy: on-failure, max_restarts: 1, backoff: 100ms }
  after: { command: sleep 1000, depends_on: [broken] }
`

/** What both know. The order is another one: that of the config, and that in which services were told of. */
const facts = (services: readonly ServiceView[]) =>
  Object.fromEntries(
    services
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, state, reason, pid, restarts, health, depends_on, replicas, exit, instances }) => [
        name,
        {
          ...{ state, reason, pid, restarts, health, depends_on, replicas, code: exit?.code ?? null },
          instances: instances.map(({ id, pid: of, state: is, role, replica }) => ({
            id,
            pid: of,
            state: is,
            role,
            replica,
          })),
        },
      ]),
  )

/** Events reach the disk a moment later. */
const compare = async (sandbox: Sandbox): Promise<void> => {
  const look = async () => {
    const [now, then] = [await sandbox.status(), await sandbox.run('status', '--at', '0s', '--json')]
    return [facts(now.services), facts((JSON.parse(then.stdout) as typeof now).services)] as const
  }
  const [shown, told] = await until(look, ([now, then]) => JSON.stringify(now) === JSON.stringify(then), 10_000).catch(
    look,
  )
  expect(told).toEqual(shown)
}

it('is what status showed, also over the death of a supervisor', async () => {
  await using sandbox = new Sandbox()
  sandbox.config(config)
  await sandbox.run('start', '-d')
  await until(
    () => sandbox.states(),
    ({ broken, after }) => broken === 'failed' && after === 'blocked',
  )
  await compare(sandbox)
  const afterStart = new Date().toISOString()
  await sandbox.sysg('stop', '-s', 'api')
  await sandbox.sysg('scale', 'db=0')
  await compare(sandbox)
  const { supervisor } = await sandbox.status()
  process.kill(supervisor.pid, 'SIGKILL')
  await until(
    () => sandbox.run('status', '--json'),
    ({ code, stdout }) => code === 1 && !stdout.includes(`"pid":${supervisor.pid},`),
  )
  await compare(sandbox)
  await sandbox.sysg('stop')

  const past = await sandbox.run('status', '--at', afterStart, '--json')
  const { services } = JSON.parse(past.stdout) as { services: readonly ServiceView[] }
  expect(Object.fromEntries(services.map(({ name, state }) => [name, state]))).toEqual({
    ...{ db: 'running', api: 'running', once: 'completed', broken: 'failed', after: 'blocked' },
  })
  expect(past.code).toBe(1)
  const now = await sandbox.run('status', '--at', '0s')
  expect(now.code).toBe(3)
  expect(now.stderr).toContain('the system was stopped at')
  const before = await sandbox.run('status', '--at', '30d')
  expect(before).toMatchObject({ code: 1, stdout: '' })
  expect(before.stderr).toContain('SYSG_PAST_UNKNOWN')
})

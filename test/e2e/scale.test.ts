/** Numbers of replicas of real processes. */
import { expect, it } from 'vitest'
import { isAlive, Sandbox, until } from './sysg.ts'

it('scale adds and takes away real processes, each with a number of its own', async () => {
  await using box = new Sandbox()
  box.config(`
services:
  api: { exec: [sh, -c, 'echo port $0; exec sleep 1000', '80\${SYSG_REPLICA}'] }
  web: { command: "sleep 1000" }
`)
  await box.run('start', '-d')
  const first = await box.service('api')
  expect(await box.run('scale', 'api=3', 'web=2')).toMatchObject({ code: 0, stdout: '', stderr: '' })
  const api = await box.service('api')
  expect(api.instances.map(({ replica, state }) => [replica, state])).toEqual([0, 1, 2].map((n) => [n, 'running']))
  expect(api.pid).toBe(first.pid)
  const ports = await until(
    async () => (await box.run('logs', 'api', '--no-prefix')).stdout.trim().split('\n').sort(),
    (lines) => lines.length === 3,
  )
  expect(ports).toEqual(['port 800', 'port 801', 'port 802'])
  const table = (await box.run('status', 'api')).stdout
  expect(table).toContain('3/3')
  expect(table).toMatch(/└ api-3 +running .* replica 2/)

  expect((await box.run('scale', 'api=1')).code).toBe(0)
  const gone = api.instances.slice(1).map(({ pid }) => pid ?? 0)
  expect(gone.filter(isAlive)).toEqual([])
  expect(isAlive(first.pid ?? 0)).toBe(true)

  expect((await box.run('scale', 'web=0')).code).toBe(0)
  expect(await box.service('web')).toMatchObject({ state: 'stopped', reason: 'scaled to 0 by you', instances: [] })
  expect((await box.run('start', '-d')).code).toBe(0)
  expect((await box.service('web')).state).toBe('stopped')
  expect((await box.run('scale', 'web=1')).code).toBe(0)
  expect((await box.service('web')).state).toBe('running')
})

it.each([
  [2, ['api'], 'write `api=4`'],
  [2, ['api=-1'], 'a whole number from 0'],
  [2, ['api=1001'], 'a whole number from 0 to 1000'],
  [4, ['apj=2'], 'Did you mean `api`?'],
  [4, ['apj=2', '--no-wait'], 'Did you mean `api`?'],
  [5, ['job=2'], '`web` waits until `job` has completed, but `job` has 2 replicas.'],
])('ends with %i for `sysg scale %j`', async (code, words, says) => {
  await using box = new Sandbox()
  box.config(`
services:
  api: { command: "sleep 1000" }
  job: { command: "true" }
  web: { command: "sleep 1000", depends_on: { job: { condition: completed } } }
`)
  await box.run('start', '-d')
  const result = await box.run('scale', ...words)
  expect([result.code, result.stdout]).toEqual([code, ''])
  expect(result.stderr).toContain(says)
})

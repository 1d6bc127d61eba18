/** What `purge` removes of a project, without a supervisor and with one. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { connect } from '../../../cli/src/client/connect.ts'
import { acquireLock } from '../../../cli/src/host/lock.ts'
import type { ProjectPaths } from '../../../cli/src/project/state-root.ts'
import { purgeLeftovers } from '../../../cli/src/purge/purge-project.ts'
import { recordedServices } from '../../../cli/src/unsupervised/recorded-services.ts'
import { instanceRecord, record, survivor } from '../commands/recorded.ts'
import { stateRoot } from '../commands/fake-supervisor.ts'

const dead = { pid: 1, startTime: 1 }
const rested = { outcome: 'failed', service: 'old', replica: 0, instance: 'old-1', at: 1, lastLines: [], config: {} }

const logsOf = (paths: ProjectPaths, name: string): string => {
  const folder = join(paths.logs, name, '0')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'stdout.log'), 'said\n')
  return join(paths.logs, name)
}

const namesIn = (paths: ProjectPaths) => recordedServices(paths)?.map(({ name }) => name)

it('removes records and logs of services that are in no config, and leaves the others', async () => {
  await using home = stateRoot()
  const { paths } = home
  record(paths, {
    intents: { old: { intent: 'stopped' }, api: { intent: 'stopped' } },
    outcomes: { 'old/0': rested, 'api/0': { ...rested, service: 'api' } },
    instances: { 'old-3': instanceRecord('old', dead), 'api-3': instanceRecord('api', dead) },
  })
  const [old, api] = [logsOf(paths, 'old'), logsOf(paths, 'api')]
  expect(await purgeLeftovers(paths, ['api'], undefined)).toEqual({
    services: [{ name: 'old', what: ['intent', 'outcome', 'instance', 'logs'] }],
    processes: [],
    everything: false,
  })
  expect(namesIn(paths)).toEqual(['api'])
  expect([existsSync(old), existsSync(api)]).toEqual([false, true])
  expect(await purgeLeftovers(paths, ['api'], undefined)).toMatchObject({ services: [] })
})

it('leaves what still runs, and services that were never in a config', async () => {
  await using home = stateRoot()
  const { paths } = home
  await using program = await survivor()
  record(paths, { instances: { 'old-3': instanceRecord('old', program) }, ad_hoc: { job: { name: 'job' } } })
  const logs = [logsOf(paths, 'old'), logsOf(paths, 'job')]
  expect(await purgeLeftovers(paths, [], undefined)).toMatchObject({ services: [], processes: [] })
  expect(namesIn(paths)).toEqual(['job', 'old'])
  expect(logs.map((path) => existsSync(path))).toEqual([true, true])
})

it('refuses while somebody has the project and cannot be asked', async () => {
  await using home = stateRoot()
  const { paths } = home
  record(paths, { intents: { old: { intent: 'stopped' } } })
  const lock = acquireLock(paths.folder)
  await expect(purgeLeftovers(paths, [], undefined)).rejects.toMatchObject({ code: 'SYSG_SUPERVISOR_SILENT' })
  lock?.release()
  expect(namesIn(paths)).toEqual(['old'])
})

it('has a supervisor forget its records, and leaves one that it is just ending', async () => {
  await using home = stateRoot()
  const { paths } = home
  const { calls } = await home.supervise({ 'store.forget': () => ({}) })
  record(paths, { intents: { old: { intent: 'stopped' } }, instances: { 'gone-3': instanceRecord('gone', dead) } })
  const logs = [logsOf(paths, 'old'), logsOf(paths, 'gone')]
  const supervisor = await connect(paths)
  const { services } = await purgeLeftovers(paths, [], supervisor)
  supervisor.close()
  expect(services.map(({ name }) => name)).toEqual(['old'])
  expect(calls).toEqual([{ method: 'store.forget', params: { services: ['old'] } }])
  expect(logs.map((path) => existsSync(path))).toEqual([false, true])
  expect(readdirSync(paths.logs)).toEqual(['gone'])
})

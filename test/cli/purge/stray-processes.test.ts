/** Processes that carry a project's mark, found and ended. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it, onTestFinished } from 'vitest'
import { commandMark } from '../../../cli/src/host/process-environment.ts'
import { allPids, readStat } from '../../../cli/src/host/process-stat.ts'
import { projectPaths } from '../../../cli/src/project/state-root.ts'
import { endProcesses } from '../../../cli/src/purge/end-processes.ts'
import { strayProcesses } from '../../../cli/src/purge/stray-processes.ts'
import { instanceRecord, record } from '../commands/recorded.ts'
import { removeFolder, testFolder, until } from '../host/node-host-for-tests.ts'

const setUp = () => {
  const root = testFolder()
  onTestFinished(() => removeFolder(root))
  const paths = projectPaths(root, 'shop')
  const start = async (env: Record<string, string>, argv: readonly string[] = ['sleep', '600']): Promise<number> => {
    const [program = '', ...args] = argv
    const child = spawn(program, args, { env: { PATH: process.env['PATH'], ...env }, stdio: 'ignore', detached: true })
    onTestFinished(() => void child.kill('SIGKILL'))
    await once(child, 'spawn')
    return child.pid ?? 0
  }
  /** What every process of a service has. */
  const marks = (token: string) => ({ SYSG_SOCKET: paths.socket, SYSG_TOKEN: token, SYSG_SERVICE: 'api' })
  return { paths, start, marks }
}

const isAlive = (pid: number): boolean => readStat(pid)?.isLiving === true

it('are those whose token is recorded for no instance', async () => {
  const { paths, start, marks } = setUp()
  const stray = await start(marks('lost'))
  await start(marks('none'))
  record(paths, { instances: { 'api-3': instanceRecord('api', { pid: 1, startTime: 1 }) } })
  expect(strayProcesses(paths, false)).toEqual([
    { pid: stray, startTime: readStat(stray)?.startTime, service: 'api', command: 'sleep 600' },
  ])
})

it('are all of them when nothing is recorded any more', async () => {
  const { paths, start, marks } = setUp()
  const pids = [await start(marks('one')), await start({ ...marks('two'), SYSG_SERVICE: 'db' })]
  const found = strayProcesses(paths, false)
  expect(found.map(({ pid, service }) => [pid, service])).toEqual([
    [pids[0], 'api'],
    [pids[1], 'db'],
  ])
})

it('are none of another project, none without a token, and nobody who asks from inside of a service', async () => {
  const { paths, start, marks } = setUp()
  await start({ ...marks('other'), SYSG_SOCKET: '/elsewhere' })
  await start({ SYSG_SOCKET: paths.socket })
  await start({ SYSG_SOCKET: paths.socket, SYSG_TOKEN: '' })
  expect(strayProcesses(paths, false)).toEqual([])
})

it('are no commands of a supervisor that runs: checks and hooks', async () => {
  const { paths, start, marks } = setUp()
  const check = await start({ ...marks('service'), [commandMark]: 'abc' })
  expect(strayProcesses(paths, true)).toEqual([])
  expect(strayProcesses(paths, false).map(({ pid }) => pid)).toEqual([check])
})

it('are ended with what they have started', async () => {
  const { paths, start, marks } = setUp()
  const stray = await start(marks('lost'), ['sh', '-c', 'sleep 600 & wait'])
  const child = await until(() => childOf(stray))
  const bystander = await start({})
  await endProcesses(strayProcesses(paths, false))
  expect([isAlive(stray), isAlive(child), isAlive(bystander)]).toEqual([false, false, true])
})

it('are left alone when their pid has gone to somebody else', async () => {
  const { start } = setUp()
  const pid = await start({})
  await endProcesses([{ pid, startTime: (readStat(pid)?.startTime ?? 0) - 1 }])
  expect(isAlive(pid)).toBe(true)
})

const childOf = (parent: number): number | undefined => allPids().find((pid) => readStat(pid)?.parentPid === parent)

/** Why a supervisor does not answer, as somebody else sees it. */
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { whySilent } from '../../../cli/src/supervisor/why-silent.ts'
import { allPids, readStat } from '../../../cli/src/host/process-stat.ts'
import { projectPaths } from '../../../cli/src/project/state-root.ts'
import { removeFolder, testFolder, until } from '../host/node-host-for-tests.ts'

/** A process with a holder of its own, as the project's folder says. */
const setUp = async () => {
  const root = testFolder()
  const paths = projectPaths(root, 'shop')
  const supervisor = spawn('sh', ['-c', 'sleep 600 & wait'], { stdio: 'ignore', detached: true })
  const pid = supervisor.pid ?? 0
  onTestFinished(() => {
    process.kill(-pid, 'SIGKILL')
    removeFolder(root)
  })
  const holder = await until(() => allPids().find((one) => readStat(one)?.parentPid === pid))
  const record = (set: object = {}): void => {
    const startTime = readStat(holder)?.startTime
    writeFileSync(`${dirname(paths.boot)}/holder.json`, JSON.stringify({ pid: holder, startTime, door: '', ...set }))
  }
  mkdirSync(dirname(paths.boot), { recursive: true })
  record()
  return { paths, pid, record }
}

it('is unknown when nothing is to be seen, but which one it is', async () => {
  const { paths, pid } = await setUp()
  expect(whySilent(paths)).toEqual({ pid })
})

it('it was stopped', async () => {
  const { paths, pid } = await setUp()
  process.kill(pid, 'SIGSTOP')
  await until(() => whySilent(paths)?.why !== undefined)
  expect(whySilent(paths)).toEqual({
    pid,
    why: 'it was stopped (SIGSTOP)',
    remedy: `\`kill -CONT ${pid}\` lets it go on.`,
  })
})

it('it has more descriptors open than it may have', async () => {
  const { paths, pid } = await setUp()
  execFileSync('prlimit', ['--pid', String(pid), '--nofile=2:'])
  expect(whySilent(paths)).toEqual({
    pid,
    why: expect.stringMatching(/^it has \d+ file descriptors open and may have 2$/) as string,
    remedy: `\`prlimit --pid ${pid} --nofile=1024\` gives it more; it goes on by itself.`,
  })
})

it('is not asked of a process that has the pid of a holder that is gone, nor where none is recorded', async () => {
  const { paths, record } = await setUp()
  record({ startTime: 1 })
  expect(whySilent(paths)).toBeUndefined()
  expect(whySilent(projectPaths(paths.folder, 'none'))).toBeUndefined()
})

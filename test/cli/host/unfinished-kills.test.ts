/** A supervisor dies while it kills a tree: the next one finds it stopped. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { TreeRef } from '@systemg/core'
import { killMembers } from '../../../cli/src/host/kill-members.ts'
import { ProcessTrees, type TreeLook } from '../../../cli/src/host/process-trees.ts'
import { readStat } from '../../../cli/src/host/process-stat.ts'
import { UnfinishedKills } from '../../../cli/src/host/unfinished-kills.ts'
import { testHost, until } from './node-host-for-tests.ts'

const program = ['sh', '-c', 'trap "" TERM; sleep 1000 & echo $! >child; wait'] as const

/** `T`: stopped by a signal. */
const stateOf = (pid: number): string =>
  readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .charAt(0)

const killsIn = (folder: string): readonly string[] => {
  const path = join(folder, 'run/kills')
  return existsSync(path) ? readdirSync(path) : []
}

/** Everything that a kill does until the tree is looked at for the second time, which never comes. */
const beginKilling = async (tree: TreeRef, folder: string): Promise<void> => {
  const { promise: isAtRest, resolve } = Promise.withResolvers<void>()
  class DiesAtSecondLook extends ProcessTrees {
    #looks = 0

    override async look(at: TreeRef): Promise<TreeLook> {
      this.#looks += 1
      if (this.#looks === 1) return { ...(await super.look(at)), table: blurred(await super.look(at)) }
      resolve()
      return new Promise(() => undefined)
    }
  }
  const trees = new DiesAtSecondLook(() => undefined)
  void killMembers(tree, { trees, unfinished: new UnfinishedKills(join(folder, 'run/kills')) })
  await isAtRest
  trees.dispose()
}

/** As if something had been forked meanwhile, so that another look is wanted. */
const blurred = ({ table }: TreeLook): TreeLook['table'] => ({ ...table, isBlurred: true })

it('kills what the supervisor before it had stopped in order to kill it', async () => {
  const first = testHost()
  const { tree, exited } = await first.start(program)
  const child = await until(() => existsSync(join(first.folder, 'child')) && childIn(first.folder))
  await beginKilling(tree, first.folder)
  await until(() => stateOf(tree.pid) === 'T' && stateOf(child) === 'T')
  await first.host.leave()

  await using second = testHost(first.folder)
  expect(await second.host.processes.adopt(tree)).toBeUndefined()
  expect(await second.host.processes.members(tree)).toEqual([])
  expect(readStat(child)?.isLiving ?? false).toBe(false)
  expect(await second.host.processes.pastExit(tree)).toEqual({ code: null, signal: 'SIGKILL' })
  expect(await exited).toEqual({ code: null, signal: 'SIGKILL' })
  expect(killsIn(second.folder)).toEqual([])
})

it('leaves a process stopped that somebody else has stopped', async () => {
  const first = testHost()
  const { tree } = await first.start(['sleep', '1000'])
  process.kill(tree.pid, 'SIGSTOP')
  await until(() => stateOf(tree.pid) === 'T')
  await first.host.leave()

  await using second = testHost(first.folder)
  expect(await second.host.processes.adopt(tree)).toMatchObject({ tree })
  expect(stateOf(tree.pid)).toBe('T')
  await second.host.processes.signal(tree, 'SIGKILL')
  await second.host.processes.gone(tree, AbortSignal.timeout(5_000))
})

it('remembers no kill that has come to its end', async () => {
  await using test = testHost()
  const { tree } = await test.start(program)
  await test.host.processes.signal(tree, 'SIGKILL')
  await test.host.processes.gone(tree, AbortSignal.timeout(5_000))
  expect(killsIn(test.folder)).toEqual([])
  expect(await test.host.processes.pastExit(tree)).toBeUndefined()
})

it('forgets what cannot be read, and harms nobody who only has the name', async () => {
  const first = testHost()
  const { tree } = await first.start(['sleep', '1000'])
  await first.host.leave()
  mkdirSync(join(first.folder, 'run/kills'), { recursive: true })
  writeFileSync(join(first.folder, 'run/kills', tree.token), '{"pid":')
  writeFileSync(join(first.folder, 'run/kills/another'), JSON.stringify(tree))

  await using second = testHost(first.folder)
  expect(await second.host.processes.adopt(tree)).toMatchObject({ tree })
  expect(killsIn(second.folder)).toEqual([])
  await second.host.processes.signal(tree, 'SIGKILL')
  await second.host.processes.gone(tree, AbortSignal.timeout(5_000))
})

const childIn = (folder: string): number | false => {
  const text = readFileSync(join(folder, 'child'), 'utf8')
  return text.endsWith('\n') && Number(text)
}

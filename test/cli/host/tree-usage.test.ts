import { expect, it } from 'vitest'
import { units } from '../../../cli/src/host/kernel.ts'
import { ownUsage } from '../../../cli/src/host/own-usage.ts'
import { parseStat } from '../../../cli/src/host/process-stat.ts'
import { usageOf, usageOfTrees } from '../../../cli/src/host/tree-usage.ts'
import { testHost, until } from './node-host-for-tests.ts'

/** 14 and 15: its own time; 16 and 17: that of children it waited for; 24: pages. */
const process_ = (pid: number, own: number, children: number, pages: number) =>
  parseStat(
    `${pid} (x) S 1 ${pid} ${pid} 0 -1 0 0 0 0 0 ${own} 0 ${children} 0 20 0 1 0 99 0 ${pages} ${'0 '.repeat(28)}`,
  )

it('counts processes with the children that they have waited for, and pages of all', () => {
  const { pageBytes, tickMs } = units()
  expect(usageOf([process_(5, 10, 30, 100), process_(6, 1, 0, 20)])).toEqual({
    cpuMs: 41 * tickMs,
    memoryBytes: 120 * pageBytes,
    processes: 2,
  })
  expect(usageOf([])).toBeUndefined()
})

it('believes the cgroup, adds up what nobody counts there, and looks only where there is none', async () => {
  const tree = (pid: number) => ({ pid, token: `t${pid}`, startTime: 1, bootId: 'b' })
  const looked: number[] = []
  const trees = {
    look: ({ pid }: { pid: number }) => {
      looked.push(pid)
      return Promise.resolve({ members: [process_(2, 10, 0, 100)], table: undefined as never })
    },
  }
  const accounts = [
    { pids: [5, 6], cpuMs: 1.5, memoryBytes: 42 },
    { pids: [process.pid], cpuMs: undefined, memoryBytes: undefined },
    undefined,
  ]
  const cgroups = { account: ({ pid }: { pid: number }) => accounts[pid - 1] }
  const { pageBytes, tickMs } = units()
  const [first, second, third] = await usageOfTrees([tree(1), tree(2), tree(3)], trees, cgroups)
  expect(first).toEqual({ processes: 2, cpuMs: 1.5, memoryBytes: 42 })
  expect(second?.memoryBytes).toBeGreaterThan(10_000_000)
  expect(second?.cpuMs).toBeGreaterThan(0)
  expect(third).toEqual({ processes: 1, cpuMs: 10 * tickMs, memoryBytes: 100 * pageBytes })
  expect(looked).toEqual([3])
})

it('sees the time that a program uses, also of children that have ended', async () => {
  await using test = testHost()
  const burn = 'i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done'
  const { tree } = await test.start(['sh', '-c', `sh -c '${burn}'; sh -c '${burn}'; exec sleep 1000`])
  const [usage] = await until(async () => {
    const found = await test.host.processes.usage([tree])
    return (found[0]?.cpuMs ?? 0) >= 40 && found
  })
  expect(usage?.memoryBytes).toBeGreaterThan(100_000)
})

it('knows what this process uses itself', () => {
  const own = ownUsage()
  expect(own.memoryBytes).toBeGreaterThan(10_000_000)
  expect(own.cpuMs).toBeGreaterThan(0)
  expect(own.openFiles).toBeGreaterThan(2)
  expect(own.mostOpenFiles).toBeGreaterThan(own.openFiles ?? Infinity)
  expect(Math.abs(Date.now() - own.startedAt)).toBeLessThan(3_600_000)
})

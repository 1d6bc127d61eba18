import { describe, expect, it } from 'vitest'
import { findVariable } from '../../../cli/src/host/process-environment.ts'
import { parseStat, type ProcessStat } from '../../../cli/src/host/process-stat.ts'
import { indexProcesses } from '../../../cli/src/host/process-table.ts'
import { findMembers, type KnownTree } from '../../../cli/src/host/tree-members.ts'

const statLine = (name: string, state: string, threads = 1): string =>
  `4711 (${name}) ${state} 1 4712 4713 0 -1 4194304 1 0 0 0 10 5 0 0 20 0 ${threads} 0 98765 1000 250 18446744073709551615 1 2 77 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 3 4 5 88 6 99 100 0`

describe('reading /proc', () => {
  it.each(['sleep', 'a b', 'a) R 1 (b', '((', 'two\nlines', ')'])('reads a process called %j', (name) => {
    expect(parseStat(statLine(name, 'S'))).toEqual({
      pid: 4711,
      name,
      parentPid: 1,
      group: 4712,
      session: 4713,
      startTime: 98765,
      isLiving: true,
      uninterruptible: false,
      cpuTicks: 15,
      childTicks: 0,
      residentPages: 250,
      image: 77 + 3 * 88 + 5 * 99 + 7 * 100,
    })
  })

  it('takes a zombie for living only while other threads go on', () => {
    expect(parseStat(statLine('x', 'Z')).isLiving).toBe(false)
    expect(parseStat(statLine('x', 'X')).isLiving).toBe(false)
    expect(parseStat(statLine('x', 'Z', 2)).isLiving).toBe(true)
    expect(parseStat(statLine('x', 'D'))).toMatchObject({ isLiving: true, uninterruptible: true })
  })

  const environments: readonly [environment: string, token: string | undefined][] = [
    ['SYSG_TOKEN=first\0A=b\0', 'first'],
    ['A=b\0SYSG_TOKEN=last', 'last'],
    ['A=SYSG_TOKEN=no\0SYSG_TOKEN=yes\0', 'yes'],
    ['MY_SYSG_TOKEN=no\0', undefined],
    ['', undefined],
  ]
  it.each(environments)('finds the token in %j', (environment, token) => {
    expect(findVariable(Buffer.from(environment), 'SYSG_TOKEN')).toBe(token)
  })
})

describe('searching a tree', () => {
  const one = (pid: number, parentPid: number, session: number, startTime = pid): ProcessStat => ({
    ...{ pid, parentPid, session, startTime, group: session, name: 'x', image: 0 },
    ...{ isLiving: true, uninterruptible: false, cpuTicks: 0, childTicks: 0, residentPages: 0 },
  })
  const tree = { pid: 100, startTime: 100, token: 'mark', bootId: 'boot' }
  const known = (change: Partial<KnownTree> = {}): KnownTree => ({
    ...{ tree, seen: new Map(), ownsSession: true },
    ...change,
  })
  const search = (which: KnownTree, processes: ProcessStat[], marked: number[] = [], ownPid = 10) => {
    const marksOf = ({ pid }: ProcessStat) => (marked.includes(pid) ? ['mark'] : [])
    const table = { ...indexProcesses([one(1, 0, 1), ...processes], marksOf, ownPid), isBlurred: false, newestPid: 0 }
    return findMembers(which, table).map(({ pid }) => pid)
  }

  it('follows parents, and sessions that members lead', () => {
    const family = [one(103, 1, 102), one(102, 101, 102), one(101, 100, 100), one(100, 10, 100), one(10, 1, 10)]
    expect(search(known(), family)).toEqual([100, 101, 102, 103])
  })

  it('does not contain one with its pid and start time that carries the mark of another tree', () => {
    const processes = [one(1, 0, 1), one(100, 1, 100), one(101, 100, 100)]
    const table = (mark: string) => {
      const marksOf = ({ pid }: ProcessStat) => (pid === 1 ? [] : [mark])
      return { ...indexProcesses(processes, marksOf, 10), isBlurred: false, newestPid: 0 }
    }
    expect(findMembers(known(), table('of another'))).toEqual([])
    expect(findMembers(known(), table('mark')).map(({ pid }) => pid)).toEqual([100, 101])
  })

  it('finds members of its session whose parents have ended', () => {
    expect(search(known(), [one(105, 1, 100)])).toEqual([105])
  })

  it('leaves the session alone when it may have been somebody else’s since', () => {
    expect(search(known({ ownsSession: false }), [one(105, 1, 100)])).toEqual([])
    expect(search(known(), [one(100, 1, 100, 999), one(1000, 100, 100)])).toEqual([])
  })

  it('trusts the session when a process with the mark is in it', () => {
    expect(search(known({ ownsSession: false }), [one(105, 1, 100), one(106, 1, 100)], [106])).toEqual([105, 106])
  })

  it('knows a process again that it has seen, but not another with the same pid', () => {
    const seen = new Map([[200, 200]])
    expect(search(known({ seen }), [one(200, 1, 200), one(201, 200, 201)])).toEqual([200, 201])
    expect(search(known({ seen }), [one(200, 1, 200, 999)])).toEqual([])
  })

  it('never contains the supervisor or its ancestors, even when they carry the mark', () => {
    const family = [one(100, 1, 100), one(9, 100, 100, 200), one(10, 9, 100, 201), one(11, 10, 11, 202)]
    expect(search(known(), [...family, one(101, 1, 100)], [9, 10])).toEqual([101])
  })

  it('does not take the session of a stranger who carries the mark', () => {
    expect(search(known(), [one(300, 1, 290), one(301, 1, 290)], [300])).toEqual([300])
  })
})

/** `Host.processes`: whole trees, with descendants that try to get away. */
import type { TreeRef } from '../../host.ts'
import type { Part, Session } from './session.ts'

export const treesContract: Part = (check, expect) => {
  check('finds and ends a tree by its token alone', async (session) => {
    const { tree } = await session.spawnReady(session.at.programs.forks())
    await session.reopen()
    const { processes } = session.host
    const unknown = { pid: 0, startTime: 0, bootId: '', token: tree.token }
    const pids = (await session.wait(processes.members(unknown))).map(({ pid }) => pid)
    expect(pids.length).toBe(2)
    expect(pids.includes(tree.pid)).toBe(true)
    expect(await session.wait(processes.signal(unknown, 'SIGKILL'))).toBe(2)
    await session.wait(processes.gone(unknown, new AbortController().signal))
    expect(await session.wait(processes.members({ ...unknown, token: '' }))).toEqual([])
  })

  check('finds a grandchild that is in another session and whose parent has ended', async (session) => {
    const { tree } = await session.spawnReady(session.at.programs.forksEscaped())
    const members = await session.wait(session.host.processes.members(tree))
    expect(members[0]?.pid).toBe(tree.pid)
    expect(members.length).toBeGreaterThanOrEqual(2)
  })

  check('sends a signal to every member, also to the escaped one', async (session) => {
    const { tree } = await session.spawnReady(session.at.programs.forksEscaped())
    const members = await session.wait(session.host.processes.members(tree))
    expect(await session.wait(session.host.processes.signal(tree, 'SIGKILL'))).toBe(members.length)
    await session.wait(session.host.processes.gone(tree, never()))
    expect(await session.wait(session.host.processes.members(tree))).toEqual([])
  })

  check('counts a tree as gone only when the last member is', async (session) => {
    const { tree, exited } = await session.spawnReady(session.at.programs.forksEscaped())
    let isGone = false
    const gone = session.host.processes.gone(tree, never()).then(() => (isGone = true))
    await session.wait(session.host.processes.signal(tree, 'SIGTERM'))
    await session.wait(exited)
    await session.at.pass(100)
    expect(isGone).toBe(false)
    expect((await pidsOf(session, tree)).length).toBe(1)
    await session.wait(session.host.processes.signal(tree, 'SIGKILL'))
    await session.wait(gone)
    expect(await pidsOf(session, tree)).toEqual([])
  })

  check('finds the escaped one after the supervisor was replaced, too', async (session) => {
    const { tree, exited } = await session.spawnReady(session.at.programs.forksEscaped())
    await session.wait(session.host.processes.signal(tree, 'SIGTERM'))
    await session.wait(exited)
    await session.reopen()
    expect(await session.wait(session.host.processes.adopt(tree))).toBe(undefined)
    expect((await pidsOf(session, tree)).length).toBe(1)
  })

  check('leaves a program alone that takes no notice of SIGTERM', async (session) => {
    const { tree } = await session.spawnReady(session.at.programs.ignoresSigterm())
    expect(await session.wait(session.host.processes.signal(tree, 'SIGTERM'))).toBe(1)
    await session.at.pass(100)
    expect(await pidsOf(session, tree)).toEqual([tree.pid])
  })

  check('says at once that a tree is gone whose processes have ended, and signals nobody', async (session) => {
    const { tree, exited } = await session.spawn(session.at.programs.exits(0, 0))
    await session.wait(exited)
    await session.wait(session.host.processes.gone(tree, never()))
    expect(await session.wait(session.host.processes.signal(tree, 'SIGTERM'))).toBe(0)
  })

  check('does not touch a process that has the pid but not the start time', async (session) => {
    const { tree } = await session.spawnReady(session.at.programs.sleeps())
    const other = { ...tree, startTime: tree.startTime + 1, token: session.host.token() }
    expect(await session.wait(session.host.processes.signal(other, 'SIGKILL'))).toBe(0)
    await session.wait(session.host.processes.gone(other, never()))
    expect(await pidsOf(session, tree)).toEqual([tree.pid])
  })

  check('stops waiting for the end of a tree when it is told to', async (session) => {
    const { tree } = await session.spawnReady(session.at.programs.sleeps())
    const controller = new AbortController()
    const reason = new Error('no longer needed')
    const gone = session.failure(() => session.host.processes.gone(tree, controller.signal))
    controller.abort(reason)
    expect(await gone).toBe(reason)
    expect(await session.failure(() => session.host.processes.gone(tree, controller.signal))).toBe(reason)
  })

  check(
    'tells what several trees use at one moment, in their order, and nothing of one that is gone',
    async (session) => {
      const many = await session.spawnReady(session.at.programs.forksEscaped())
      const one = await session.spawnReady(session.at.programs.sleeps())
      const gone = await session.spawn(session.at.programs.exits(0, 0))
      await session.wait(gone.exited)
      const trees = [gone.tree, many.tree, one.tree]
      const [none, most, least] = await session.wait(session.host.processes.usage(trees))
      expect(none).toBe(undefined)
      expect(least?.processes).toBe(1)
      expect(most?.processes).toBe((await pidsOf(session, many.tree)).length)
      for (const usage of [most, least]) {
        expect(usage?.memoryBytes).toBeGreaterThanOrEqual(1)
        expect(usage?.cpuMs).toBeGreaterThanOrEqual(0)
      }
      expect(await session.wait(session.host.processes.usage([]))).toEqual([])
    },
  )

  check('keeps the trees of two services apart', async (session) => {
    const one = await session.spawnReady(session.at.programs.sleeps())
    const two = await session.spawnReady(session.at.programs.sleeps())
    await session.wait(session.host.processes.signal(one.tree, 'SIGKILL'))
    await session.wait(session.host.processes.gone(one.tree, never()))
    expect(await pidsOf(session, two.tree)).toEqual([two.tree.pid])
  })
}

const never = () => new AbortController().signal

const pidsOf = async (session: Session, tree: TreeRef) =>
  (await session.wait(session.host.processes.members(tree))).map(({ pid }) => pid)

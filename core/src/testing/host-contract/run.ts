/** `Host.run`. */
import type { RunSpec, TreeRef } from '../../host.ts'
import { textOf, type Part, type Session } from './session.ts'
import type { Argv } from './under-test.ts'

export const runContract: Part = (check, expect) => {
  for (const stream of ['stdout', 'stderr'] as const) {
    check(`gives back what a command wrote to ${stream}, and its exit`, async (session) => {
      const result = await session.wait(run(session, session.at.programs.prints('grüße, no newline', stream)))
      expect(result).toMatchObject({ exit: { code: 0, signal: null }, output: 'grüße, no newline' })
      expect(result.failure).toBe(undefined)
    })
  }

  check('tells of output as it comes, by stream', async (session) => {
    const told: string[] = []
    const onOutput = (stream: string, chunk: Uint8Array) => void told.push(`${stream} ${textOf(chunk)}`)
    await session.wait(run(session, session.at.programs.prints('built', 'stdout'), { onOutput }))
    await session.wait(run(session, session.at.programs.prints('warned', 'stderr'), { onOutput }))
    expect(told).toEqual(['stdout built', 'stderr warned'])
  })

  check('tells the tree of a command, so that a later supervisor can end it', async (session) => {
    const { promise, resolve } = Promise.withResolvers<TreeRef>()
    void run(session, session.at.programs.forks(), { onStarted: resolve })
    const tree = JSON.parse(JSON.stringify(await session.wait(promise))) as TreeRef
    await session.at.until(async () => (await session.host.processes.members(tree)).length === 2)
    await session.reopen()
    expect(await session.wait(session.host.processes.signal(tree, 'SIGKILL'))).toBe(2)
    await session.wait(session.host.processes.gone(tree, new AbortController().signal))
  })

  check('tells the exit code of a command that fails', async (session) => {
    const result = await session.wait(run(session, session.at.programs.exits(7, 0)))
    expect(result).toMatchObject({ exit: { code: 7, signal: null }, output: '' })
  })

  check('keeps the last bytes of a long output', async (session) => {
    const argv = session.at.programs.prints(`${'x'.repeat(50_000)}the end`, 'stdout')
    const result = await session.wait(run(session, argv, { keepBytes: 10 }))
    expect(result.output).toBe('xxxthe end')
  })

  check('keeps 64 KiB when nothing else is said', async (session) => {
    const argv = session.at.programs.prints(`${'x'.repeat(100_000)}the end`, 'stdout')
    const { output } = await session.wait(run(session, argv))
    expect(output.length).toBe(64 * 1024)
    expect(output.endsWith('xthe end')).toBe(true)
  })

  check('says why a command could not be started', async (session) => {
    const result = await session.wait(run(session, ['/no/such/program-at-all']))
    expect(result.failure).toMatchObject({ errno: 'ENOENT' })
    expect(result.exit.code === 0).toBe(false)
  })

  check('ends a command and its children when it is aborted', async (session) => {
    const { tree } = await session.spawnReady(session.at.programs.sleeps())
    const marked: TreeRef = { ...tree, startTime: tree.startTime + 1, token: session.host.token() }
    const controller = new AbortController()
    const result = run(session, session.at.programs.forks(), {
      signal: controller.signal,
      env: { ...session.spec(['x']).env, SYSG_TOKEN: marked.token },
    })
    await session.at.until(async () => (await session.host.processes.members(marked)).length === 2)
    controller.abort(new Error('took too long'))
    expect((await session.wait(result)).exit.code).toBe(null)
    await session.wait(session.host.processes.gone(marked, new AbortController().signal))
    expect((await session.wait(session.host.processes.members(tree))).length).toBe(1)
  })

  check('leaves a service alone when a command is aborted that carried its mark', async (session) => {
    const service = await session.spawnReady(session.at.programs.sleeps())
    const controller = new AbortController()
    const result = run(session, session.at.programs.sleeps(), {
      signal: controller.signal,
      env: { ...session.spec(['x']).env, SYSG_TOKEN: service.tree.token },
    })
    await session.at.until(async () => (await session.host.processes.members(service.tree)).length === 2)
    controller.abort(new Error('took too long'))
    await session.wait(result)
    const members = await session.wait(session.host.processes.members(service.tree))
    expect(members.map(({ pid }) => pid)).toEqual([service.tree.pid])
  })

  check('starts nothing when it is aborted already', async (session) => {
    const argv = session.at.programs.prints('written', 'stdout')
    const result = await session.wait(run(session, argv, { signal: AbortSignal.abort(new Error('too late')) }))
    expect(result.exit.code === 0).toBe(false)
    expect(result.output).toBe('')
  })
}

const run = (session: Session, argv: Argv, more: Partial<RunSpec> = {}) => {
  const { env, cwd } = session.spec(argv)
  return session.host.run({ argv, env, cwd, signal: new AbortController().signal, ...more })
}

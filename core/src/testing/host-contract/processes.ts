/** `Host.processes`: starting one, how it ends, and taking it up again. */
import type { TreeRef } from '../../host.ts'
import type { Part } from './session.ts'

export const processesContract: Part = (check, expect) => {
  check('starts a process that is found in its own tree', async (session) => {
    const { tree } = await session.spawnReady(session.at.programs.sleeps())
    const members = await session.wait(session.host.processes.members(tree))
    expect(members.map(({ pid, startTime }) => ({ pid, startTime }))).toEqual([
      { pid: tree.pid, startTime: tree.startTime },
    ])
    expect(members[0]?.command.length).toBeGreaterThanOrEqual(1)
    expect(members[0]?.uninterruptible).toBe(false)
  })

  check('tells a program that does not exist from one that ran', async (session) => {
    const spec = session.spec(['/no/such/program-at-all', 'x'])
    const failure = await session.wait(session.host.processes.spawn(spec))
    expect(failure).toMatchObject({ errno: 'ENOENT' })
    expect('tree' in failure).toBe(false)
  })

  check('hands over the environment that was given, the token, and nothing else', async (session) => {
    const output = await session.open('env.fifo')
    const spec = session.spec(session.at.programs.printsEnv())
    const env = { ...spec.env, GREETING: 'a=b "c" $d', EMPTY: '', 'name.with.dots': 'yes' }
    const { exited } = await session.spawn(spec.argv, { env, stdout: output.pipe.writer, token: spec.token })
    await session.wait(exited)
    await session.wait(output.pipe.drain())
    const lines = output.text().split('\n')
    expect(lines).toContain('GREETING=a=b "c" $d')
    expect(lines).toContain('EMPTY=')
    expect(lines).toContain('name.with.dots=yes')
    expect(lines).toContain(`SYSG_TOKEN=${spec.token}`)
    const given = new Set([...Object.keys(env), 'SYSG_TOKEN', ...addedByShells])
    const names = lines.filter((line) => line !== '').map((line) => line.split('=', 1)[0] ?? '')
    expect(names.filter((name) => !given.has(name))).toEqual([])
  })

  for (const code of [0, 3, 255]) {
    check(`tells the exit code ${code}`, async (session) => {
      const { exited } = await session.spawn(session.at.programs.exits(code, 20))
      expect(await session.wait(exited)).toMatchObject({ code, signal: null })
    })
  }

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGKILL'] as const) {
    check(`tells that ${signal} ended it`, async (session) => {
      const { tree, exited } = await session.spawnReady(session.at.programs.sleeps())
      expect(await session.wait(session.host.processes.signal(tree, signal))).toBe(1)
      expect(await session.wait(exited)).toMatchObject({ code: null, signal })
    })
  }

  check('adopts one that was started so that its exit is kept, and then knows it', async (session) => {
    const { tree } = await session.spawn(session.at.programs.exits(4, 1_500), { keepsExit: true })
    await session.reopen()
    const adopted = await session.wait(session.host.processes.adopt(tree))
    expect(await session.wait(adopted?.exited ?? Promise.resolve(undefined))).toEqual({ code: 4, signal: null })
  })

  check('adopts a process of an earlier supervisor, whose end is then seen within a second or so', async (session) => {
    const { env } = session.spec(['x'])
    const { tree } = await session.spawnReady(session.at.programs.sleeps(), { env: { ...env, COLOUR: 'a=b' } })
    const stored = JSON.parse(JSON.stringify(tree)) as TreeRef
    await session.reopen()
    const adopted = await session.wait(session.host.processes.adopt(stored))
    expect(adopted?.tree).toEqual(tree)
    expect(adopted?.env['COLOUR']).toBe('a=b')
    expect(await session.wait(session.host.processes.signal(stored, 'SIGTERM'))).toBe(1)
    const startMs = session.host.clock.monotonic()
    const exit = await session.wait(adopted?.exited ?? Promise.resolve(undefined))
    expect(exit).toEqual({ code: null, signal: null, unknown: true })
    expect(session.host.clock.monotonic() - startMs).toBeLessThan(2_500)
  })

  for (const code of [0, 3]) {
    check(`knows that one ended with ${code} that was started so, though no supervisor ran`, async (session) => {
      const { tree } = await session.spawn(session.at.programs.exits(code, 50), { keepsExit: true })
      const other = await session.spawn(session.at.programs.exits(code, 50))
      await session.reopen()
      await session.wait(session.host.processes.gone(tree, new AbortController().signal))
      expect(await session.wait(session.host.processes.adopt(tree))).toBe(undefined)
      expect(await session.wait(session.host.processes.pastExit(tree))).toEqual({ code, signal: null })
      expect(await session.wait(session.host.processes.pastExit(other.tree))).toBe(undefined)
    })
  }

  check('tells who listens on a port', async (session) => {
    const port = 20_000 + Math.floor(session.host.random() * 20_000)
    expect(await session.wait(session.host.processes.listening(port))).toBe(undefined)
    const { tree } = await session.spawnReady(session.at.programs.listens(port))
    const listeners = await session.wait(session.host.processes.listening(port))
    expect(listeners?.map(({ pid }) => pid)).toEqual([tree.pid])
    await session.wait(session.host.processes.signal(tree, 'SIGKILL'))
    await session.wait(session.host.processes.gone(tree, new AbortController().signal))
    expect(await session.wait(session.host.processes.listening(port))).toBe(undefined)
  })

  const strangers: Readonly<Record<string, (tree: TreeRef) => TreeRef>> = {
    token: (tree) => ({ ...tree, token: tree.token.replaceAll(/./g, '0') }),
    'start time': (tree) => ({ ...tree, startTime: tree.startTime + 1 }),
    boot: (tree) => ({ ...tree, bootId: 'another-boot' }),
    pid: (tree) => ({ ...tree, pid: 2 ** 22 + 1 }),
  }
  for (const [what, changed] of Object.entries(strangers)) {
    check(`adopts nothing when the ${what} is another`, async (session) => {
      const { tree } = await session.spawnReady(session.at.programs.sleeps())
      expect(await session.wait(session.host.processes.adopt(changed(tree)))).toBe(undefined)
    })
  }

  check('adopts nothing that has ended', async (session) => {
    const { tree, exited } = await session.spawn(session.at.programs.exits(0, 0))
    await session.wait(exited)
    expect(await session.wait(session.host.processes.adopt(tree))).toBe(undefined)
  })
}

/** `printsEnv` may be a shell script. */
const addedByShells = ['PWD', 'OLDPWD', 'SHLVL', '_']

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { SpawnSpec, TreeRef } from '@systemg/core'
import { fdOf } from '../../../cli/src/host/descriptor.ts'
import { keepsNothing } from '../../../cli/src/host/held.ts'
import { createProcesses } from '../../../cli/src/host/processes.ts'
import { readStat } from '../../../cli/src/host/process-stat.ts'
import { programs, testHost, until, type TestHost } from './node-host-for-tests.ts'

const never = new AbortController().signal

const livesAs = (pid: number): boolean => readStat(pid)?.isLiving === true

/** The pid that a program has written to a file, which is empty for a moment. */
const pidIn = (path: string): Promise<number> =>
  until(() => existsSync(path) && readFileSync(path, 'utf8').endsWith('\n') && Number(readFileSync(path, 'utf8')))

const memberCount = async ({ host }: TestHost, tree: TreeRef): Promise<number> =>
  (await host.processes.members(tree)).length

describe('starting', () => {
  it('waits until what a program gets is kept open beyond this process', async () => {
    await using test = testHost()
    const pipe = await test.host.output(join(test.folder, 'run', 'out'), () => undefined)
    const { promise, resolve } = Promise.withResolvers<void>()
    const asked: (readonly number[])[] = []
    const keeper = {
      ...keepsNothing,
      secured(fds: readonly number[]) {
        asked.push(fds)
        return promise
      },
    }
    const processes = createProcesses(() => undefined, { keeper })
    const token = test.host.token()
    const starting = processes.spawn({
      ...{ argv: ['sleep', '1000'], cwd: test.folder, env: { PATH: process.env['PATH'] ?? '' }, token },
      ...{ stdout: pipe.writer, stderr: 'null', inherit: [pipe.writer] },
    })
    const tree = { pid: 0, startTime: 0, bootId: '', token }
    expect(await processes.members(tree)).toEqual([])
    resolve()
    const spawned = await starting
    expect(asked).toEqual([[fdOf(pipe.writer), fdOf(pipe.writer)]])
    expect(await processes.members(tree)).toHaveLength(1)
    if ('tree' in spawned) await processes.signal(spawned.tree, 'SIGKILL')
    processes.dispose()
    await pipe.close()
  })

  it('runs a program in a session of its own, with the mark in its environment and nothing on stdin', async () => {
    await using test = testHost()
    const out = join(test.folder, 'out')
    const { tree, exited } = await test.start(['sh', '-c', 'cat; env >out; ps -o sid= -p $$ >sid; exit 3'], {
      token: 'abc123',
      env: { PATH: process.env['PATH'] ?? '', GREETING: 'hello world' },
    })
    expect(await exited).toEqual({ code: 3, signal: null })
    const env = readFileSync(out, 'utf8').split('\n')
    expect(env).toContain('SYSG_TOKEN=abc123')
    expect(env).toContain('GREETING=hello world')
    expect(env.some((line) => line.startsWith('HOME='))).toBe(false)
    expect(Number(readFileSync(join(test.folder, 'sid'), 'utf8'))).toBe(tree.pid)
  })

  it('identifies a process that has ended before anybody could look', async () => {
    await using test = testHost()
    const { tree, exited } = await test.start(['true'])
    expect(tree.startTime).toBeGreaterThan(0)
    expect(await exited).toEqual({ code: 0, signal: null })
    expect(await test.host.processes.members(tree)).toEqual([])
    await test.host.processes.gone(tree, never)
  })

  it('tells the signal that ended a process', async () => {
    await using test = testHost()
    const { exited } = await test.start(['sh', '-c', 'kill -USR1 $$'])
    expect(await exited).toEqual({ code: null, signal: 'SIGUSR1' })
  })

  it('passes descriptors on from number 3', async () => {
    await using test = testHost()
    const seen: Buffer[] = []
    const output = await test.host.output(join(test.folder, 'run/extra'), (chunk) => void seen.push(Buffer.from(chunk)))
    const { exited } = await test.start(['sh', '-c', 'echo three >&3; echo four >&4'], {
      inherit: [output.writer, output.writer],
    })
    await exited
    await output.drain()
    expect(Buffer.concat(seen).toString()).toBe('three\nfour\n')
    await output.close()
  })

  const failures: readonly [
    what: string,
    argv: SpawnSpec['argv'],
    spec: Partial<SpawnSpec>,
    errno: string,
    says: RegExp,
  ][] = [
    ['a missing path', ['/no/such/program'], {}, 'ENOENT', /\/no\/such\/program does not exist/],
    ['a name that is not in PATH', ['no-such-program'], {}, 'ENOENT', /no program `no-such-program` in PATH/],
    ['a command line in place of the program', ['sleep 77'], {}, 'ENOENT', /^there is no program `sleep 77`: no shell/],
    ['a name with a space', ['no-such program'], {}, 'ENOENT', /no program `no-such program` in PATH/],
    [
      'a missing folder',
      ['true'],
      { cwd: '/no/such/folder' },
      'ENOENT',
      /true can't run in \/no\/such\/folder, which does not exist/,
    ],
    [
      'a file in place of the folder',
      ['true'],
      { cwd: '/etc/passwd' },
      'ENOTDIR',
      /true can't run in \/etc\/passwd, which is not a folder/,
    ],
    ['a file that is not executable', ['/etc/passwd'], {}, 'EACCES', /not executable/],
    ['a folder in place of the program', ['/tmp'], {}, 'EISDIR', /\/tmp is a folder/],
    ['a script without its interpreter', ['./script'], {}, 'ENOENT', /interpreter \/no\/such\/shell/],
    ['too long an argument', ['true', 'x'.repeat(200_000)], {}, 'E2BIG', /longer than the kernel allows/],
    ['a zero byte in an argument', ['true', 'a\0b'], {}, 'EINVAL', /zero byte/],
  ]
  it.each(failures)('says what is wrong: %s', async (_what, argv, spec, errno, says) => {
    await using test = testHost()
    writeFileSync(join(test.folder, 'script'), '#!/no/such/shell -e\n', { mode: 0o755 })
    const result = await test.spawn(argv, spec)
    expect(result).toEqual({ errno, message: expect.stringMatching(says) as string })
  })

  const wrapper = ['/bin/sh', '-c', 'exec "$@"', 'sh'] as const
  it.each([
    ['a missing path', ['/no/such/program'], 'ENOENT', /\/no\/such\/program does not exist/],
    ['a name that is not in PATH', ['no-such-program', 'x'], 'ENOENT', /no program `no-such-program` in PATH/],
    ['a file that is not executable', ['/etc/passwd'], 'EACCES', /not executable/],
    ['a folder', ['/tmp', 'x'], 'EISDIR', /\/tmp is a folder/],
    ['a script without its interpreter', ['./script'], 'ENOENT', /interpreter \/no\/such\/shell/],
  ] as const)(
    'says what is wrong with a program that something else becomes: %s',
    async (_what, program, errno, says) => {
      await using test = testHost()
      writeFileSync(join(test.folder, 'script'), '#!/no/such/shell -e\n', { mode: 0o755 })
      const result = await test.spawn([...wrapper, ...program], { programWords: program.length })
      expect(result).toEqual({ errno, message: expect.stringMatching(says) as string })
    },
  )

  it('starts a program that something else becomes', async () => {
    await using test = testHost()
    const { exited } = await test.start([...wrapper, 'sh', '-c', 'exit 4'], { programWords: 3 })
    expect(await exited).toEqual({ code: 4, signal: null })
  })

  it('refuses a descriptor that was closed', async () => {
    await using test = testHost()
    const output = await test.host.output(join(test.folder, 'run/closed'), () => undefined)
    output.writer.close()
    expect(await test.spawn(['true'], { stdout: output.writer })).toMatchObject({ errno: 'EBADF' })
    await output.close()
  })
})

describe('trees', () => {
  it('lists children and grandchildren, the root first', async () => {
    await using test = testHost()
    const { tree } = await test.start([join(programs, 'has-grandchildren.sh')])
    const members = await until(async () => {
      const found = await test.host.processes.members(tree)
      // A shell that makes a child can't be interrupted until that has begun.
      const isSettled = found.every(({ uninterruptible }) => !uninterruptible)
      return isSettled && found.length === 3 && found.some(({ command }) => command === 'sleep 1000') && found
    })
    expect(members[0]).toMatchObject({ pid: tree.pid, startTime: tree.startTime, parentPid: process.pid })
    expect(members[0]?.command).toContain('has-grandchildren.sh')
    expect(members[0]?.memoryBytes).toBeGreaterThan(4096)
  })

  it('signals every member and waits for all of them', async () => {
    await using test = testHost()
    const { tree, exited } = await test.start([join(programs, 'has-grandchildren.sh')])
    await until(async () => (await memberCount(test, tree)) === 3)
    expect(await test.host.processes.signal(tree, 'SIGTERM')).toBe(3)
    await test.host.processes.gone(tree, never)
    expect(await exited).toEqual({ code: null, signal: 'SIGTERM' })
    expect(await test.host.processes.signal(tree, 'SIGTERM')).toBe(0)
  })

  it('finds and kills a grandchild that has left session and parent and ignores SIGTERM', async () => {
    await using test = testHost()
    const { tree } = await test.start([join(programs, 'escapes-by-double-fork.sh'), 'escaped'])
    const escaped = await pidIn(join(test.folder, 'escaped'))
    await until(async () => (await memberCount(test, tree)) === 2)
    expect(readStat(escaped)?.session).not.toBe(tree.pid)
    expect(readStat(escaped)?.parentPid).not.toBe(tree.pid)

    await test.host.processes.signal(tree, 'SIGTERM')
    await until(() => !livesAs(tree.pid))
    expect((await test.host.processes.members(tree)).map(({ pid }) => pid)).toEqual([escaped])

    await test.host.processes.signal(tree, 'SIGKILL')
    await test.host.processes.gone(tree, never)
    expect(livesAs(escaped)).toBe(false)
  })

  it('keeps a member that was seen before it left and without the mark', async () => {
    await using test = testHost()
    // The child has no mark; it leaves the session while its parent lives, and then loses the parent.
    const script = `env -i sh -c 'exec setsid sleep 1000' & echo $! >child; read -r line <go`
    const { tree, exited } = await test.start(['sh', '-c', `mkfifo go; ${script}`])
    const child = await pidIn(join(test.folder, 'child'))
    await until(async () => (await memberCount(test, tree)) === 2 && readStat(child)?.session === child)
    writeFileSync(join(test.folder, 'go'), '\n')
    await exited
    expect((await test.host.processes.members(tree)).map(({ pid }) => pid)).toEqual([child])
    await test.host.processes.signal(tree, 'SIGKILL')
    await test.host.processes.gone(tree, never)
    expect(livesAs(child)).toBe(false)
  })

  it('never signals a process that has the pid but another start time', async () => {
    await using test = testHost()
    const { tree } = await test.start(['sleep', '1000'])
    const reused = { ...tree, startTime: tree.startTime - 1, token: 'of-somebody-else' }
    expect(await test.host.processes.members(reused)).toEqual([])
    expect(await test.host.processes.signal(reused, 'SIGKILL')).toBe(0)
    const otherBoot = { ...tree, bootId: 'another' }
    expect(await test.host.processes.signal(otherBoot, 'SIGKILL')).toBe(0)
    await test.host.processes.gone(otherBoot, never)
    expect(livesAs(tree.pid)).toBe(true)
  })

  it.each([-1, 0, 1, process.pid, process.ppid])('never takes pid %i for a member', async (pid) => {
    await using test = testHost()
    const stat = readStat(pid)
    const tree = { pid, startTime: stat?.startTime ?? 0, token: 'x', bootId: (await test.start(['true'])).tree.bootId }
    const members = await test.host.processes.members(tree)
    expect(members.map((one) => one.pid)).not.toContain(pid)
    expect(members.map((one) => one.pid)).not.toContain(process.pid)
  })

  it('counts a zombie as dead', async () => {
    await using test = testHost()
    // `sleep` never reaps the child it has inherited from the shell, which ends when it is told to.
    const script = 'mkfifo go; (read -r line <go) & echo $! >child; exec sleep 1000'
    const { tree } = await test.start(['sh', '-c', script])
    await until(() => readFileSync(`/proc/${tree.pid}/cmdline`, 'utf8').startsWith('sleep'))
    const child = await pidIn(join(test.folder, 'child'))
    writeFileSync(join(test.folder, 'go'), '\n')
    await until(() => readStat(child)?.isLiving === false)
    expect((await test.host.processes.members(tree)).map(({ pid }) => pid)).toEqual([tree.pid])
  })

  it('stops waiting for a tree when the signal aborts', async () => {
    await using test = testHost()
    const { tree } = await test.start(['sleep', '1000'])
    const controller = new AbortController()
    const gone = test.host.processes.gone(tree, controller.signal)
    controller.abort(new Error('enough'))
    await expect(gone).rejects.toThrow('enough')
    await expect(test.host.processes.gone(tree, controller.signal)).rejects.toThrow('enough')
  })

  it('reads /proc once for 300 trees that are asked about together', async () => {
    await using test = testHost()
    const processes = createProcesses(() => undefined)
    const started = await Promise.all(Array.from({ length: 300 }, () => test.start(['sleep', '1000'])))
    const looksBefore = processes.trees.lookCount
    const members = await Promise.all(started.map(({ tree }) => processes.members(tree)))
    expect(members.map((list) => list.map(({ pid }) => pid))).toEqual(started.map(({ tree }) => [tree.pid]))
    expect(processes.trees.lookCount - looksBefore).toBe(1)
    processes.dispose()
  })
})

describe('adopting', () => {
  it('takes up what an earlier host has started, and sees its end', async () => {
    await using test = testHost()
    const { tree } = await test.start(['sleep', '1000'])
    const later = createProcesses(() => undefined)
    const adopted = await later.adopt(tree)
    expect(adopted?.tree).toEqual(tree)
    await later.signal(tree, 'SIGTERM')
    await later.gone(tree, never)
    expect(await adopted?.exited).toEqual({ code: null, signal: null, unknown: true })
    later.dispose()
  })

  it('sees an end that nobody here has caused within a second or so', async () => {
    await using test = testHost()
    const { tree } = await test.start(['sleep', '1000'])
    const later = createProcesses(() => undefined)
    const adopted = await later.adopt(tree)
    process.kill(tree.pid, 'SIGKILL')
    expect(await adopted?.exited).toEqual({ code: null, signal: null, unknown: true })
    expect(later.trees.lookCount).toBeLessThanOrEqual(2)
    later.dispose()
  })

  it('takes up a server that has written over its environment', async () => {
    await using test = testHost()
    const { tree } = await test.start(['env', '-i', 'sleep', '1000'])
    await until(() => readFileSync(`/proc/${tree.pid}/cmdline`, 'utf8').startsWith('sleep'))
    expect(await test.host.processes.adopt(tree)).toBeDefined()
  })

  const wrong: readonly [what: string, change: Partial<TreeRef>][] = [
    ['the start time', { startTime: 1 }],
    ['the boot', { bootId: 'another' }],
    ['the token', { token: 'another' }],
    ['the pid', { pid: 2 ** 22 + 1 }],
  ]
  it.each(wrong)('refuses when %s does not agree', async (_what, change) => {
    await using test = testHost()
    const { tree } = await test.start(['sleep', '1000'])
    await until(() => readFileSync(`/proc/${tree.pid}/cmdline`, 'utf8').startsWith('sleep'))
    expect(await test.host.processes.adopt({ ...tree, ...change })).toBeUndefined()
  })

  it('refuses a process that has ended', async () => {
    await using test = testHost()
    const { tree, exited } = await test.start(['true'])
    await exited
    expect(await test.host.processes.adopt(tree)).toBeUndefined()
  })
})

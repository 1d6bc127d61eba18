/** How programs end whose exit is kept: as if nothing stood above them. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Signal, SpawnSpec } from '@systemg/core'
import { signalNames } from '@systemg/core'
import { KeptExits } from '../../../cli/src/host/kept-exits.ts'
import { createProcesses } from '../../../cli/src/host/processes.ts'
import { testHost, until, type TestHost } from './node-host-for-tests.ts'

type Shell = readonly [string, ...string[]]

/** Says when it listens, in the file `ready`. */
const sh = (script: string): Shell => ['bash', '-c', script]
const waits = 'echo >ready; while :; do sleep 0.01; done'

const kept = { keepsExit: true } as const

const startReady = async (test: TestHost, argv: Shell, spec: Partial<SpawnSpec> = kept) => {
  const started = await test.start(argv, spec)
  await until(() => existsSync(join(test.folder, 'ready')))
  return started
}

/** Those that a program can do something about. SIGCHLD comes by itself, with every `sleep` that ends. */
const catchable = signalNames.filter((name) => !['SIGKILL', 'SIGSTOP', 'SIGCHLD'].includes(name))

describe('a signal for the whole service', () => {
  it.each(catchable)('%s: a program that handles it ends as it says', async (signal) => {
    await using test = testHost()
    const number = constants.signals[signal as keyof typeof constants.signals]
    const { tree, exited } = await startReady(test, sh(`trap 'echo end >end; exit 7' ${number}; ${waits}`))
    await test.host.processes.signal(tree, signal)
    expect(await exited).toEqual({ code: 7, signal: null })
    expect(existsSync(join(test.folder, 'end'))).toBe(true)
  })

  it.each(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGKILL'] as const)(
    '%s: a program that does not is told to have been killed by it',
    async (signal) => {
      await using test = testHost()
      const { tree, exited } = await startReady(test, sh('ulimit -c 0; echo >ready; exec sleep 1000'))
      await test.host.processes.signal(tree, signal)
      expect(await exited).toEqual({ code: null, signal })
    },
  )

  it('does not end what ignores it, which is then killed', async () => {
    await using test = testHost()
    const { tree, exited } = await startReady(test, sh(`trap '' TERM; ${waits}`))
    const ended: unknown[] = []
    void exited.then((exit) => ended.push(exit))
    await test.host.processes.signal(tree, 'SIGTERM')
    await test.host.processes.signal(tree, 'SIGUSR2')
    expect(await exited).toEqual({ code: null, signal: 'SIGUSR2' })
    expect(ended).toEqual([{ code: null, signal: 'SIGUSR2' }])
  })

  it('is told though a program of an earlier supervisor handles it', async () => {
    await using test = testHost()
    const { tree } = await startReady(test, sh(`trap 'exit 7' TERM; ${waits}`))
    await test.host.dispose()
    await using next = testHost(test.folder)
    const adopted = await next.host.processes.adopt(tree)
    await next.host.processes.signal(tree, 'SIGTERM')
    expect(await adopted?.exited).toEqual({ code: 7, signal: null })
  })

  it('that comes before the program begins is not lost: the program never begins', async () => {
    await using test = testHost()
    const exits = new KeptExits(join(test.folder, 'exits'))
    const spec = { env: { PATH: process.env['PATH'] ?? '' }, cwd: test.folder, token: test.host.token() }
    const streams = { stdout: 'null', stderr: 'null', inherit: [] } as const
    const argv = exits.argvOf({ ...spec, ...streams, argv: ['touch', 'begun'] })
    exits.signalling(spec.token, 'SIGTERM')
    const { exited } = await test.start(argv)
    await exited
    expect(existsSync(join(test.folder, 'begun'))).toBe(false)
    expect(exits.read(spec.token)).toEqual({ code: null, signal: 'SIGTERM' satisfies Signal })
  })
})

it('of its processes it is known which is the shell, also to the next supervisor', async () => {
  await using test = testHost()
  const { tree } = await startReady(test, ['bash', '-c', `${waits} # a b`])
  const shown = async ({ host }: TestHost) =>
    (await host.processes.members(tree)).map(({ command, keepsExit }) => [keepsExit, command.split(' ')[0]])
  const first = [
    [true, '/bin/sh'],
    [undefined, 'bash'],
  ]
  expect((await shown(test)).slice(0, 2)).toEqual(first)
  await test.host.dispose()
  await using next = testHost(test.folder)
  await next.host.processes.adopt(tree)
  expect((await shown(next)).slice(0, 2)).toEqual(first)
  await next.host.processes.signal(tree, 'SIGKILL')
})

it('128 and a number is an exit code when nobody has sent that signal', async () => {
  await using test = testHost()
  const { exited } = await test.start(sh('exit 143'), kept)
  expect(await exited).toEqual({ code: 143, signal: null })
})

it('a program is not told from one that stands alone: signals, descriptors, environment, and what is on stderr', async () => {
  await using test = testHost()
  const script = `grep -E '^Sig(Ign|Blk|Cgt)' /proc/self/status; env | grep -v -e ^SYSG_TOKEN -e ^PWD -e ^_= | sort
    for fd in /proc/$$/fd/*; do echo "\${fd##*/} $(readlink $fd | sed 's/[0-9]*]*$//')"; done`
  const seen = async (name: string, spec: Partial<SpawnSpec>): Promise<string> => {
    const output = await test.host.output(join(test.folder, 'run', name), () => undefined)
    const argv = sh(`{ ${script}; } >${name} 2>&1; kill -ABRT $$`)
    const { exited } = await test.start(argv, { ...spec, stderr: output.writer, inherit: [output.writer] })
    await exited
    await output.close()
    return readFileSync(join(test.folder, name), 'utf8').replaceAll(name, 'name')
  }
  const env = { PATH: process.env['PATH'] ?? '', code: 'a', signal: 'b', HOME: '/' }
  const alone = await seen('alone', { env })
  expect(await seen('below', { env, ...kept })).toBe(alone)
  expect(alone).toContain('SigIgn')
})

it('what ended it is said by nobody but the supervisor', async () => {
  await using test = testHost()
  const chunks: string[] = []
  const output = await test.host.output(join(test.folder, 'run', 'err'), (chunk) =>
    chunks.push(Buffer.from(chunk).toString()),
  )
  const { exited } = await test.start(['bash', '-c', 'echo last words >&2; kill -KILL $$'], {
    ...kept,
    stderr: output.writer,
  })
  expect(await exited).toEqual({ code: 137, signal: null })
  await output.drain()
  await output.close()
  expect(chunks.join('')).toBe('last words\n')
})

it('a program named like a command of the shell is that program', async () => {
  await using test = testHost()
  const { exited } = await test.start(['printf', '--version'], kept)
  expect(await exited).toEqual({ code: 0, signal: null })
})

describe('exit codes that are kept', () => {
  it('are known to a supervisor that comes after one that saw them and died before it wrote that down', async () => {
    await using test = testHost()
    const folder = join(test.folder, 'exits')
    const processes = createProcesses(() => undefined, { exits: new KeptExits(folder) })
    const spawned = await processes.spawn({
      ...{ argv: ['sh', '-c', 'exit 3'], cwd: test.folder, env: { PATH: process.env['PATH'] ?? '' } },
      ...{ token: 'abc', stdout: 'null', stderr: 'null', inherit: [], keepsExit: true },
    })
    if (!('tree' in spawned)) throw new Error('was not started')
    expect(await spawned.exited).toEqual({ code: 3, signal: null })
    processes.dispose()
    const next = createProcesses(() => undefined, { exits: new KeptExits(folder) })
    expect(await next.pastExit(spawned.tree)).toEqual({ code: 3, signal: null })
    next.dispose()
  })

  it('go when many others have been seen since', async () => {
    await using test = testHost()
    const exits = new KeptExits(test.folder)
    const files = Array.from({ length: 100 }, (_, at) => join(test.folder, `token${at}`))
    for (const [at, path] of files.entries()) {
      exits.keep(`token${at}`)
      writeFileSync(path, '0\n')
      exits.seen(`token${at}`)
    }
    const left = files.filter((path) => existsSync(path))
    expect(left.length).toBeLessThan(50)
    expect(left.at(-1)).toBe(files.at(-1))
  })
})

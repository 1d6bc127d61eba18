import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ControlMethod } from '@systemg/core'
import { recordOf, StreamLog, type LogRecord } from '@systemg/plugins/logs'
import { describe, expect, it } from 'vitest'
import { command } from '../../../cli/src/commands/logs.ts'
import { nodeFiles } from '../../../cli/src/host/files.ts'
import type { ProjectPaths } from '../../../cli/src/project/state-root.ts'
import { begin, run, stateRoot, untilAborted } from './fake-supervisor.ts'
import { record } from './recorded.ts'

const nowMs = Date.now()

const line = (
  service: string,
  text: string | Uint8Array,
  agoMs = 0,
  stream: 'stdout' | 'stderr' = 'stdout',
): LogRecord =>
  recordOf({ timeMs: nowMs - agoMs, service, instance: `${service}-1`, stream, bytes: Buffer.from(text as string) })

const status: ControlMethod = () => ({ services: [{ name: 'api' }, { name: 'db' }] })

/** Write to the files of a service as a supervisor does. */
const write = async (
  paths: ProjectPaths,
  base: string,
  chunks: readonly (readonly [text: string | Uint8Array, agoMs: number])[],
) => {
  const log = await StreamLog.open(nodeFiles, join(paths.logs, base), { maxBytes: 10_000_000, maxFiles: 5 })
  log.begin('api-1')
  for (const [text, agoMs] of chunks) log.write(Buffer.from(text as string), nowMs - agoMs)
  log.close()
}

describe('logs', () => {
  it('merges all services, each line with its name', async () => {
    await using home = stateRoot()
    const read = () => [line('db', 'up', 5), line('api', 'listening', 4, 'stderr')]
    const supervisor = await home.supervise({ status, 'logs.read': read })
    const { stdout, exitCode } = await run(home.root, command, 'logs', [])
    expect(stdout).toBe('db  | up\napi | listening\n')
    expect(exitCode).toBe(0)
    expect(supervisor.calls[0]).toEqual({ method: 'logs.read', params: { kind: 'all', lines: 50 } })
  })

  it.each([
    ['one service', ['api'], 'listening\n'],
    ['--no-prefix', ['--no-prefix'], 'listening\n'],
    ['one service named twice', ['api', '-s', 'api'], 'listening\n'],
    ['two services', ['api', '-s', 'db'], 'api | listening\n'],
    ['JSON', ['--json'], `${JSON.stringify(line('api', 'listening'))}\n`],
  ])('has names only where they help: %s', async (_title, words, output) => {
    await using home = stateRoot()
    await home.supervise({ status, 'logs.read': () => [line('api', 'listening')] })
    expect((await run(home.root, command, 'logs', words)).stdout).toBe(output)
  })

  it('writes the very bytes', async () => {
    await using home = stateRoot()
    const bytes = Buffer.from([0xde, 0xad, 0x00, 0xff])
    await home.supervise({ status, 'logs.read': () => [line('api', bytes)] })
    const { terminal } = await run(home.root, command, 'logs', ['api'])
    expect(Buffer.from(terminal.stdoutBytes)).toEqual(Buffer.concat([bytes, Buffer.from('\n')]))
  })

  it('asks for what was asked for', async () => {
    await using home = stateRoot()
    const supervisor = await home.supervise({ status, 'logs.read': () => [] })
    await run(home.root, command, 'logs', ['-s', 'api', '-l', '7', '-k', 'stderr', '--until', '2026-01-31T12:00:00Z'])
    expect(supervisor.calls).toEqual([
      {
        method: 'logs.read',
        params: { services: ['api'], kind: 'stderr', lines: 7, until: Date.parse('2026-01-31T12:00:00Z') },
      },
    ])
  })

  it.each([['-n', '7'], ['-n7'], ['--tail', '7'], ['--tail=7'], ['-l', '7']])(
    'takes %s %s for the number of lines',
    async (...words) => {
      await using home = stateRoot()
      const supervisor = await home.supervise({ status, 'logs.read': () => [] })
      await run(home.root, command, 'logs', words)
      expect(supervisor.calls[0]).toEqual({ method: 'logs.read', params: { kind: 'all', lines: 7 } })
    },
  )

  it('reads from the files what one answer might not hold', async () => {
    await using home = stateRoot()
    await write(
      home.paths,
      'api/0/stdout',
      Array.from({ length: 12_000 }, (_, at) => [`line ${at}\n`, 20_000 - at] as const),
    )
    const supervisor = await home.supervise({ status })
    const all = await run(home.root, command, 'logs', ['api', '--since', '1h'])
    expect(all.stdout.split('\n')).toHaveLength(12_001)
    expect(all.stdout.endsWith('\nline 11999\n')).toBe(true)
    const some = await run(home.root, command, 'logs', ['api', '-l', '11000'])
    expect(some.stdout.startsWith('line 1000\n')).toBe(true)
    const found = await run(home.root, command, 'logs', ['api', '--grep', '^line 1[01]99\\d$', '-l', '3'])
    expect(found.stdout).toBe('line 11997\nline 11998\nline 11999\n')
    expect(supervisor.calls.map(({ method }) => method)).not.toContain('logs.read')
  })

  it('names the service somebody probably meant', async () => {
    await using home = stateRoot()
    const unknown: ControlMethod = async () => {
      const { SysgError } = await import('@systemg/core')
      throw new SysgError('SYSG_SERVICE_UNKNOWN', { name: 'apii' })
    }
    await home.supervise({ status, 'logs.read': unknown })
    const wrong = { code: 'SYSG_SERVICE_UNKNOWN', hint: 'Did you mean `api`?' }
    await expect(run(home.root, command, 'logs', ['apii'])).rejects.toMatchObject(wrong)
    await expect(run(home.root, command, 'logs', ['apii', '--since', '1h'])).rejects.toMatchObject(wrong)
  })

  it.each([
    ['--lines', 'many'],
    ['--lines', '-1'],
    ['--tail', '5', '-n', '6'],
    ['--lines', '5', '--tail', '6'],
    ['--kind', 'stdin'],
    ['--since', 'lately'],
    ['--grep', '('],
    ['--stream', '0'],
    ['--follow', '--until', '5m'],
    ['--clear', '--follow'],
    ['-k', 'supervisor', 'api'],
  ])('refuses %s %s %s', async (...words) => {
    await using home = stateRoot()
    const wrong = async () => run(home.root, command, 'logs', words)
    await expect(wrong()).rejects.toMatchObject({ code: 'SYSG_USAGE' })
  })

  it('clears what was named', async () => {
    await using home = stateRoot()
    const supervisor = await home.supervise({ 'logs.clear': () => undefined })
    const { stderr, exitCode } = await run(home.root, command, 'logs', ['--clear', 'api'])
    expect(supervisor.calls).toEqual([{ method: 'logs.clear', params: { services: ['api'] } }])
    expect(stderr).toBe('The logs of api were cleared.\n')
    expect(exitCode).toBe(0)
  })
})

describe('logs --follow', () => {
  const following =
    (...records: readonly LogRecord[]): ControlMethod =>
    async (_params, call) => {
      await call.notify('log', { records, cursors: {} })
      await untilAborted(call.signal)
    }

  it('goes on until Ctrl-C, which is a good end', async () => {
    await using home = stateRoot()
    const supervisor = await home.supervise({
      status,
      'logs.follow': following(line('api', 'one'), line('db', 'two')),
    })
    const { terminal, done } = begin(home.root, command, 'logs', ['-f'])
    await terminal.shows('db  | two\n')
    process.emit('SIGINT')
    expect(await done).toBe(0)
    expect(terminal.stdout).toBe('api | one\ndb  | two\n')
    expect(supervisor.calls.at(-1)).toEqual({ method: 'logs.follow', params: { kind: 'all', lines: 50 } })
    expect(process.listenerCount('SIGINT')).toBe(0)
  })

  it('says when the supervisor ends, which is a good end, too', async () => {
    await using home = stateRoot()
    const supervisor = await home.supervise({
      status,
      'logs.follow': following(line('api', 'last words')),
    })
    const { terminal, done } = begin(home.root, command, 'logs', ['-f', 'api'])
    await terminal.shows('last words')
    await supervisor.end()
    expect(await done).toBe(0)
    expect(terminal.stderr).toBe('The supervisor has ended.\n')
  })

  it('has all that was written before from the files, and then what comes, without a gap or a double', async () => {
    await using home = stateRoot()
    await write(
      home.paths,
      'api/0/stdout',
      Array.from({ length: 200 }, (_, at) => [`old ${at}\n`, 10_000 - at] as const),
    )
    let asked: unknown
    const follow: ControlMethod = async (params, call) => {
      asked = params
      await following(line('api', 'new'))(params, call)
    }
    await home.supervise({ status, 'logs.follow': follow })
    const { terminal, done } = begin(home.root, command, 'logs', ['-f', 'api', '--since', '1h'])
    await terminal.shows('new\n')
    process.emit('SIGINT')
    await done
    expect(terminal.stdout.startsWith('old 0\nold 1\n')).toBe(true)
    expect(terminal.stdout.endsWith('old 199\nnew\n')).toBe(true)
    expect(asked).toEqual({ services: ['api'], kind: 'all', after: { 'api/0/stdout': '1:1490' } })
  })

  it('leaves a line that is not finished to the supervisor', async () => {
    await using home = stateRoot()
    await write(home.paths, 'api/0/stdout', [
      ['whole\n', 20],
      ['half', 10],
    ])
    await write(home.paths, 'db/0/stdout', [['never whole', 30]])
    const supervisor = await home.supervise({ status, 'logs.follow': following(line('api', 'half a line')) })
    const { terminal, done } = begin(home.root, command, 'logs', ['-f', '-l', 'all'])
    await terminal.shows('half a line\n')
    process.emit('SIGINT')
    await done
    expect(terminal.stdout).toBe('api | whole\napi | half a line\n')
    const after = { 'api/0/stdout': '1:6', 'db/0/stdout': '1:0' }
    expect(supervisor.calls.at(-1)?.params).toEqual({ kind: 'all', after })
  })

  it('tells of lines that were rotated away before it could show them', async () => {
    await using home = stateRoot()
    const follow: ControlMethod = (_params, call) => call.notify('log.dropped', { lines: 12 })
    await home.supervise({ status, 'logs.follow': follow })
    expect((await run(home.root, command, 'logs', ['-f'])).stderr).toContain('12 lines are missing here')
  })

  it('passes on what the supervisor has against it', async () => {
    await using home = stateRoot()
    const follow: ControlMethod = async () => {
      const { SysgError } = await import('@systemg/core')
      throw SysgError.of('SYSG_LOGS_PATTERN', { message: 'too slow' })
    }
    await home.supervise({ status, 'logs.follow': follow })
    await expect(run(home.root, command, 'logs', ['-f'])).rejects.toMatchObject({ code: 'SYSG_LOGS_PATTERN' })
  })

  it('shows what is there when no supervisor runs, and ends with 3', async () => {
    await using home = stateRoot()
    await write(home.paths, 'api/0/stdout', [['left\n', 5]])
    const { terminal, done } = begin(home.root, command, 'logs', ['-f'])
    await expect(done).rejects.toMatchObject({ code: 'SYSG_NO_SUPERVISOR' })
    expect(terminal.stdout).toBe('left\n')
  })
})

describe('logs --stream', () => {
  it('adds new lines in an interval where nobody looks', async () => {
    await using home = stateRoot()
    const follow: ControlMethod = async (_params, call) => {
      await call.notify('log', { records: [line('api', 'one')], cursors: {} })
      await call.notify('log', { records: [line('api', 'two')], cursors: {} })
      await untilAborted(call.signal)
    }
    await home.supervise({ status, 'logs.follow': follow })
    const { terminal, done } = begin(home.root, command, 'logs', ['--stream', '100ms', 'api'])
    await terminal.shows('one\ntwo\n')
    process.emit('SIGINT')
    expect(await done).toBe(0)
    expect(terminal.stdout).toBe('one\ntwo\n')
  })

  it('draws the newest lines anew on a terminal, as many as it has', async () => {
    await using home = stateRoot()
    let round = 0
    const read: ControlMethod = () => [line('api', `round ${(round += 1)}`)]
    const supervisor = await home.supervise({ status, 'logs.read': read })
    const { terminal, done } = begin(home.root, command, 'logs', ['--stream', '100ms', 'api'], {
      interactive: true,
      rows: 9,
    })
    await terminal.shows('round 2\n')
    process.emit('SIGINT')
    expect(await done).toBe(0)
    expect(terminal.stdout).toBe('\u001B[H\u001B[2Jround 1\n\u001B[H\u001B[2Jround 2\n')
    expect(supervisor.calls[0]?.params).toMatchObject({ lines: 8 })
  })
})

describe('logs without a supervisor', () => {
  it('reads the files: merged in time order, by stream, moment and pattern', async () => {
    await using home = stateRoot()
    await write(home.paths, 'api/0/stdout', [
      ['api one\n', 3_600_000],
      ['api three\n', 1_000],
    ])
    await write(home.paths, 'api/0/stderr', [['api trouble\n', 1_500]])
    await write(home.paths, 'db.main/0/stdout', [['db two, without an end', 2_000]])
    const output = async (...words: string[]) => (await run(home.root, command, 'logs', words)).stdout
    expect(await output()).toBe(
      'api     | api one\ndb.main | db two, without an end\napi     | api trouble\napi     | api three\n',
    )
    expect(await output('-l', '1')).toBe('api     | api three\n')
    expect(await output('-k', 'stderr')).toBe('api trouble\n')
    expect(await output('api', '--since', '10m', '--until', new Date(nowMs - 1_200).toISOString())).toBe(
      'api trouble\n',
    )
    expect(await output('db.main', '--timestamps')).toBe(
      `${new Date(nowMs - 2_000).toISOString()} db two, without an end\n`,
    )
    expect(await output('--grep', 't[wr]o', '--no-prefix')).toBe('db two, without an end\napi trouble\n')
    expect(await output('--lines', '0')).toBe('')
    expect(JSON.parse(await output('--json', 'db.main'))).toMatchObject({
      service: 'db.main',
      stream: 'stdout',
      line: 'db two, without an end',
    })
  })

  it('reads the log of the supervisor', async () => {
    await using home = stateRoot()
    await write(home.paths, 'supervisor', [['it began\n', 5]])
    expect((await run(home.root, command, 'logs', ['-k', 'supervisor'])).stdout).toBe('it began\n')
  })

  it('knows services that never wrote, and no others', async () => {
    await using home = stateRoot()
    record(home.paths, { intents: { silent: { intent: 'up' } } })
    expect((await run(home.root, command, 'logs', ['silent'])).stdout).toBe('')
    await expect(run(home.root, command, 'logs', ['slient'])).rejects.toMatchObject({
      code: 'SYSG_SERVICE_UNKNOWN',
      hint: 'Did you mean `silent`?',
    })
  })

  it('ends with 3 when the project never ran', async () => {
    await using home = stateRoot()
    await expect(run(home.root, command, 'logs', [])).rejects.toMatchObject({ code: 'SYSG_NO_SUPERVISOR' })
    await expect(run(home.root, command, 'logs', ['api'])).rejects.toMatchObject({ code: 'SYSG_NO_SUPERVISOR' })
  })

  it('clears the files of what was named, and no others', async () => {
    await using home = stateRoot()
    await write(home.paths, 'api/0/stdout', [['a\n', 5]])
    await write(home.paths, 'db/0/stdout', [['b\n', 5]])
    await run(home.root, command, 'logs', ['--clear', 'api'])
    // Who follows knows by what is left that all is new that comes from here on.
    expect(readdirSync(join(home.paths.logs, 'api', '0'))).toEqual(['stdout.idx'])
    expect((await run(home.root, command, 'logs', ['-l', 'all'])).stdout).toBe('b\n')
  })
})

/** What a service writes is what is kept and shown: every byte, in order, and what is lost is counted. */
import { createHash, randomBytes } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { canMount, mountSmall } from './small-disk.ts'
import { resultOf, Sandbox, until } from './sysg.ts'

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const configOf = (command: string, logs: object = {}): string =>
  JSON.stringify({ project: { id: 'exact' }, services: { api: { command, logs } } })

const logsOf = (box: Sandbox): string => join(box.home, 'exact', 'logs', 'api', '0')

/** All bytes that `sysg` prints. */
const bytesOf = async (box: Sandbox, ...args: readonly string[]): Promise<Buffer> => {
  const child = box.spawn(args)
  const chunks: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk))
  const { code } = await resultOf(child)
  expect(code).toBe(0)
  return Buffer.concat(chunks)
}

it('keeps and shows every byte: an overlong line, carriage returns, what is no text, and no newline at the end', async () => {
  await using box = new Sandbox()
  const binary = Buffer.from(randomBytes(100_000).map((byte) => (byte === 10 ? 11 : byte)))
  const long = Buffer.alloc(1024 * 1024, 'é')
  const short = [Buffer.from('50%\r100%\r'), Buffer.from([0x00, 0xff, 0xfe, 0x0d]), Buffer.alloc(0), Buffer.from(' \t')]
  const written = Buffer.concat(
    [long, binary, ...short, Buffer.from('no end')].flatMap((line) => [line, Buffer.from('\n')]),
  )
  const data = written.subarray(0, -1)
  writeFileSync(join(box.folder, 'data'), data)
  box.config(configOf('cat data; exec sleep 1000'))
  await box.sysg('start', '-d')
  const log = await until(
    () => readFileSync(join(logsOf(box), 'stdout.log')),
    ({ length }) => length >= data.length,
  )
  expect(sha(log)).toBe(sha(data))
  const all = await bytesOf(box, 'logs', 'api', '-n', 'all')
  // Lines of more than 64 KiB come in several parts, and the last one has its newline when shown.
  expect(sha(Buffer.from(all.filter((byte) => byte !== 10)))).toBe(sha(Buffer.from(data.filter((byte) => byte !== 10))))
  const last = Buffer.concat(short.flatMap((line) => [line, Buffer.from('\n')]))
  expect(all.subarray(-last.length - 7)).toEqual(Buffer.concat([last, Buffer.from('no end\n')]))
  expect((await bytesOf(box, 'logs', 'api', '-n', '5')).equals(all.subarray(-last.length - 7))).toBe(true)
  const records = (await bytesOf(box, 'logs', 'api', '-n', 'all', '--json')).toString().trim().split('\n')
  const lines = records.map((record) => JSON.parse(record) as { line?: string; base64?: string })
  const shown = lines.map(({ line, base64 }) =>
    line === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(line),
  )
  expect(sha(Buffer.concat(shown))).toBe(sha(Buffer.from(data.filter((byte) => byte !== 10))))
  expect(lines.slice(-5)).toMatchObject([
    { line: '50%\r100%\r' },
    { base64: 'AP/+DQ==' },
    { line: '' },
    { line: ' \t' },
    { line: 'no end' },
  ])
}, 60_000)

it('has every line of a flood once and in order over many files', async () => {
  await using box = new Sandbox()
  const count = 600_000
  box.config(configOf(`seq -f %015.0f 1 ${count}; exec sleep 1000`, { max_bytes: '1M', max_files: 100 }))
  const expected = Buffer.from(execFileSync('seq', ['-f', '%015.0f', '1', String(count)], { maxBuffer: 2 ** 30 }))
  await box.sysg('start', '-d')
  const files = (): Buffer => {
    const ages = readdirSync(logsOf(box)).filter((name) => /^stdout\.log/.test(name))
    const age = (name: string): number => Number(name.split('.')[2] ?? 0)
    ages.sort((a, b) => age(b) - age(a))
    return Buffer.concat(ages.map((name) => readFileSync(join(logsOf(box), name))))
  }
  const last = `${String(count).padStart(15, '0')}\n`
  await until(
    () => box.sysg('logs', 'api', '-n', '1'),
    (line) => line === last,
  )
  expect(sha(files())).toBe(sha(expected))
  expect(readdirSync(logsOf(box)).filter((name) => /^stdout\.log/.test(name)).length).toBeGreaterThan(8)
  expect(sha(await bytesOf(box, 'logs', 'api', '-n', 'all'))).toBe(sha(expected))
  const some = await bytesOf(box, 'logs', 'api', '-n', '100000')
  expect(some.equals(expected.subarray(-some.length))).toBe(true)
  expect(some.length).toBe(100_000 * 16)
}, 60_000)

it.runIf(canMount)(
  'counts each line that a full disk does not take, and goes on with a whole one',
  async () => {
    await using box = new Sandbox()
    const count = 300_000
    const rounds = [1, 2].map((round) => `read x < go; seq -f ${round}%014.0f 1 ${count}; touch done${round}`)
    const folder = join(box.home, 'exact', 'logs')
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const unmount = mountSmall(folder, '1m')
    try {
      box.config(configOf(`mkfifo go; ${rounds.join('; ')}; exec sleep 1000`))
      await box.sysg('start', '-d')
      const { pid } = await box.service('api')
      const has = (name: string) =>
        until(
          () => existsSync(join(box.folder, name)),
          (isThere) => isThere,
        )
      const kept = async (round: number): Promise<number> =>
        (await box.sysg('logs', 'api', '-n', 'all'))
          .split('\n')
          .filter((line) => new RegExp(`^${round}\\d{14}$`).test(line)).length
      await has('go')
      writeFileSync(join(box.folder, 'go'), '')
      await has('done1')
      const dropped = () => droppedLines(join(box.home, 'exact', 'run', 'control.sock'))
      // What the pipe still holds is taken up after the program has written it.
      await until(
        async () => (await kept(1)) + (await dropped()),
        (lines) => lines === count,
      )
      const first = await dropped()
      expect(first).toBeGreaterThan(0)
      await box.sysg('logs', '--clear')
      writeFileSync(join(box.folder, 'go'), '')
      await has('done2')
      await until(
        async () => (await kept(2)) + (await dropped()) - first,
        (lines) => lines === count,
      )
      expect(await dropped()).toBeGreaterThan(first)
      const [line] = (await box.sysg('logs', 'api', '-n', 'all')).split('\n')
      expect(line).toMatch(/^\d{15}$/)
      expect((await box.service('api')).pid).toBe(pid)
      const events = await box.sysg('events', '-l', 'all')
      expect(events).toContain('logs.dropping')
      expect(events).toContain('logs.dropped')
    } finally {
      unmount()
    }
  },
  60_000,
)

/** As the control socket counts them. */
const droppedLines = async (path: string): Promise<number> => {
  const socket = connect(path)
  socket.write('{"jsonrpc":"2.0","id":1,"method":"logs.dropped","params":{}}\n')
  for await (const line of createInterface(socket)) {
    socket.destroy()
    const { result } = JSON.parse(line) as { result: readonly { lines: number }[] }
    return result.reduce((sum, { lines }) => sum + lines, 0)
  }
  throw new Error('no answer')
}

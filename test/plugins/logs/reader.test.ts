import { describe, expect, it } from 'vitest'
import { listSources, type LogSource } from '../../../plugins/src/logs/layout.ts'
import { displayTextOf, longestLine, recordOf, type LogLine } from '../../../plugins/src/logs/lines.ts'
import { merge } from '../../../plugins/src/logs/merge.ts'
import { readAll, readLast } from '../../../plugins/src/logs/reader.ts'
import { StreamLog } from '../../../plugins/src/logs/stream-log.ts'
import { collect } from './collect.ts'
import { memoryFiles, type MemoryFiles } from './memory-files.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const texts = (lines: readonly LogLine[]) => lines.map((line) => displayTextOf(line.bytes))
const some = (lines: number) => ({ lines, bytes: 10_000_000 })

const sourceOf = (service: string, stream: 'stdout' | 'stderr' = 'stdout'): LogSource => ({
  service,
  stream,
  base: `/logs/${service}/0/${stream}`,
})

/** Writes `at` and the text for every entry. */
const write = async (
  files: MemoryFiles,
  source: LogSource,
  entries: readonly (readonly [timeMs: number, text: string])[],
  limits = { maxBytes: 1_000_000, maxFiles: 5 },
): Promise<StreamLog> => {
  const log = await StreamLog.open(files, source.base, limits)
  log.begin(`${source.service}-1`)
  for (const [timeMs, text] of entries) log.write(bytes(text), timeMs)
  return log
}

const numbered = (count: number, width = 0): readonly (readonly [number, string])[] =>
  Array.from({ length: count }, (_, at) => [at + 1, `${String(at + 1).padEnd(width, '.')}\n`] as const)

describe('reading', () => {
  it('merges services and streams in the order of time', async () => {
    const files = memoryFiles()
    const sources = [sourceOf('api'), sourceOf('api', 'stderr'), sourceOf('db')]
    await write(files, sourceOf('api'), [
      [1, 'a1\n'],
      [4, 'a4\n'],
    ])
    await write(files, sourceOf('api', 'stderr'), [[3, 'e3\n']])
    await write(files, sourceOf('db'), [
      [2, 'd2\n'],
      [4, 'd4\n'],
    ])
    expect(texts(await readLast(files, sources, some(10)))).toEqual(['a1', 'd2', 'e3', 'a4', 'd4'])
    expect(texts(await collect(readAll(files, sources)))).toEqual(['a1', 'd2', 'e3', 'a4', 'd4'])
    expect(texts(await readLast(files, sources, some(2)))).toEqual(['a4', 'd4'])
  })

  it('finds the last lines across rotated files and many windows', async () => {
    const files = memoryFiles()
    const source = sourceOf('api')
    await write(files, source, numbered(20_000, 99), { maxBytes: 600_000, maxFiles: 5 })
    const last = await readLast(files, [source], some(15_000))
    expect(last).toHaveLength(15_000)
    expect(texts(last)[0]).toMatch(/^5001\./)
    expect(last.map(({ timeMs }) => timeMs)).toEqual(Array.from({ length: 15_000 }, (_, at) => at + 5_001))
  })

  it('takes the last line without a newline as a line', async () => {
    const files = memoryFiles()
    await write(files, sourceOf('api'), [[1, 'one\ntwo']])
    expect(texts(await readLast(files, [sourceOf('api')], some(1)))).toEqual(['two'])
  })

  it.each([
    [{ sinceMs: 500, untilMs: 502 }, ['500', '501', '502']],
    [{ sinceMs: 999 }, ['999', '1000']],
    [{ untilMs: 2 }, ['1', '2']],
    [{ sinceMs: 5_000 }, []],
    [{ untilMs: 0 }, []],
    [{ sinceMs: 10, untilMs: 9 }, []],
  ])('keeps to %j', async (query, expected) => {
    const files = memoryFiles()
    const source = sourceOf('api')
    await write(files, source, numbered(1_000), { maxBytes: 1_024, maxFiles: 9 })
    expect(texts(await readLast(files, [source], some(10_000), query))).toEqual(expected)
    expect(texts(await collect(readAll(files, [source], query)))).toEqual(expected)
  })

  it('gives a line to the moment in which it began', async () => {
    const files = memoryFiles()
    const source = sourceOf('api')
    await write(files, source, [
      [1, 'one\nbegun'],
      [5, ' and ended\nfive\n'],
    ])
    expect(texts(await readLast(files, [source], some(9), { untilMs: 1 }))).toEqual(['one', 'begun and ended'])
    expect(texts(await readLast(files, [source], some(9), { sinceMs: 2 }))).toEqual(['five'])
  })

  it('looks as far back as it must for lines that match', async () => {
    const files = memoryFiles()
    const source = sourceOf('api')
    await write(files, source, numbered(5_000, 99))
    const matches = (line: LogLine) => /^(7|4999)\./.test(displayTextOf(line.bytes))
    const found = await readLast(files, [source], some(2), { matches })
    expect(found.map(({ timeMs }) => timeMs)).toEqual([7, 4_999])
  })

  it('gives the lines of one instance alone', async () => {
    const files = memoryFiles()
    const source = sourceOf('api')
    const log = await write(files, source, [[1, 'old\n']])
    log.begin('api-2')
    log.write(bytes('new\n'), 2)
    expect(texts(await readLast(files, [source], some(9), { instance: 'api-2' }))).toEqual(['new'])
  })

  it('splits an overlong line between characters, the same way in both directions', async () => {
    const files = memoryFiles()
    const source = sourceOf('api')
    const long = `x${'é'.repeat(200_000)}`
    await write(files, source, [[1, `short\n${long}\nshort\n`]])
    const forwards = await collect(readAll(files, [source]))
    expect(texts(forwards).join('')).toBe(`short${long}short`)
    for (const line of forwards) expect(line.bytes.length).toBeLessThanOrEqual(longestLine + 1)
    expect(texts(await readLast(files, [source], some(100))).join('')).toBe(`short${long}short`)
  })

  it('stays within its bytes, and gives at least one line', async () => {
    const files = memoryFiles()
    const source = sourceOf('api')
    await write(files, source, numbered(100, 99))
    expect(await readLast(files, [source], { lines: 100, bytes: 350 })).toHaveLength(3)
    expect(await readLast(files, [source], { lines: 100, bytes: 5 })).toHaveLength(1)
  })

  it('loses no line when files are rotated while it reads', async () => {
    const files = memoryFiles()
    const source = sourceOf('api')
    const limits = { maxBytes: 20_000, maxFiles: 100 }
    const log = await write(files, source, numbered(1_000, 99), limits)
    let reads = 0
    files.beforeRead = () => {
      // A rotation now and then: at every read, nobody could keep up.
      if (++reads % 7 === 0) log.write(bytes(`${'later'.padEnd(99, '.')}\n`.repeat(200)), 5_000)
    }
    const lines = await collect(readAll(files, [source], { untilMs: 4_000 }))
    expect(lines.map(({ timeMs }) => timeMs)).toEqual(Array.from({ length: 1_000 }, (_, at) => at + 1))
    expect(reads).toBeGreaterThan(14)
  })

  it('ends at the position it is given', async () => {
    const files = memoryFiles()
    const source = sourceOf('api')
    const log = await write(files, source, numbered(100), { maxBytes: 1_024, maxFiles: 100 })
    const end = log.end
    for (const [, text] of numbered(1_000)) log.write(bytes(`later ${text}`), 200)
    expect(texts(await readLast(files, [source], some(2), { end: () => end }))).toEqual(['99', '100'])
  })

  it('reads a file that has lost its index, without knowing its times', async () => {
    const files = memoryFiles()
    const source = sourceOf('api')
    await write(files, source, numbered(3))
    files.remove(`${source.base}.idx`)
    expect(texts(await readLast(files, [source], some(9)))).toEqual(['1', '2', '3'])
  })

  it('ends when a file has become shorter than it was', async () => {
    const files = memoryFiles()
    const source = sourceOf('api')
    await write(files, source, numbered(50_000, 99), { maxBytes: 10_000_000, maxFiles: 5 })
    const all = files.bytes(`${source.base}.log`) ?? new Uint8Array(0)
    let reads = 0
    files.beforeRead = () => {
      if (++reads === 10) files.replace(`${source.base}.log`, all.slice(0, 150))
    }
    expect((await collect(readAll(files, [source]))).length).toBeLessThan(50_000)
    expect((await readLast(files, [source], some(50_000))).length).toBeLessThan(50_000)
  })
})

describe('a record', () => {
  const line = (raw: Uint8Array): LogLine => ({
    timeMs: Date.UTC(2026, 0, 1),
    service: 'api',
    instance: 'api-1',
    stream: 'stdout',
    bytes: raw,
  })
  const known = { time: '2026-01-01T00:00:00.000Z', service: 'api', instance: 'api-1', stream: 'stdout' }

  it.each([
    ['text', bytes('héllo\n'), { ...known, line: 'héllo' }],
    ['text without a newline', bytes('x'), { ...known, line: 'x' }],
    ['an empty line', bytes('\n'), { ...known, line: '' }],
    ['a carriage return', bytes('50%\r100%\r\n'), { ...known, line: '50%\r100%\r' }],
    ['a byte order mark', bytes('\uFEFFx\n'), { ...known, line: '\uFEFFx' }],
    ['other bytes', new Uint8Array([0xff, 0x00, 0x0a]), { ...known, base64: '/wA=' }],
  ])('keeps %s as it is', (_, raw, record) => {
    expect(recordOf(line(raw))).toEqual(record)
  })
})

describe('merging', () => {
  it('prefers the earlier source among equals and asks no source for more than it needs', async () => {
    let asked = 0
    async function* source(
      name: string,
      items: readonly number[],
    ): AsyncGenerator<readonly (readonly [number, string])[]> {
      for (const item of items) {
        asked++
        yield [[item, name] as const]
      }
    }
    const merged = merge([source('a', [1, 3, 9, 9]), source('b', [1, 2, 9])], (one, other) => one[0] - other[0])
    const first = []
    for await (const batch of merged) if (first.push(...batch.map((item) => item.join(''))) >= 4) break
    expect(first).toEqual(['1a', '1b', '2b', '3a'])
    expect(asked).toBe(5)
  })
})

describe('the list of streams', () => {
  it('finds every stream with files, whatever the service is called', async () => {
    const files = memoryFiles()
    for (const path of [
      'supervisor.log',
      'api.v2/0/stdout.log',
      'api.v2/0/stdout.idx',
      'api.v2/0.1/stderr.log.3',
      'db/0/pre_start.stdout.log',
      'db/0/notes.txt',
    ])
      files.append(`/logs/${path}`)
    expect(await listSources(files, '/logs')).toEqual([
      { service: 'api.v2', stream: 'stdout', base: '/logs/api.v2/0/stdout' },
      { service: 'api.v2', stream: 'stderr', base: '/logs/api.v2/0.1/stderr' },
      { service: 'db', stream: 'stdout', base: '/logs/db/0/pre_start.stdout' },
    ])
  })
})

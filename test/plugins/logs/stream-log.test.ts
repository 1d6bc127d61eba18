import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytesThatFit } from '../../../plugins/src/logs/cut.ts'
import { displayTextOf, type LogLine } from '../../../plugins/src/logs/lines.ts'
import { readAll, readLast } from '../../../plugins/src/logs/reader.ts'
import { StreamLog } from '../../../plugins/src/logs/stream-log.ts'
import { collect } from './collect.ts'
import { memoryFiles, type MemoryFiles } from './memory-files.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const base = '/logs/api/0/stdout'
const source = { service: 'api', stream: 'stdout' as const, base }
const large = { maxBytes: 1_000_000, maxFiles: 5 }

const linesIn = async (files: MemoryFiles): Promise<readonly LogLine[]> => collect(readAll(files, [source]))
const textIn = async (files: MemoryFiles) => (await linesIn(files)).map((line) => displayTextOf(line.bytes))

describe('where a file ends', () => {
  const file = { size: 90, isLineStart: true, maxBytes: 100 }

  it.each([
    ['everything fits', 'abcd\n', file, 5],
    ['the last line that fits ends it', 'abc\ndefg\nhij', file, 9],
    ['a line that does not fit goes into the next file', 'a'.repeat(20), file, 0],
    ['a line that has begun ends where it began', `${'a'.repeat(20)}\nb`, { ...file, isLineStart: false }, 21],
    ['an empty file takes what no file could take whole', 'a'.repeat(150), { ...file, size: 0 }, 150],
    ['an overlong line is split', 'a'.repeat(500), { ...file, size: 0 }, 200],
    ['a line that has begun has a limit, too', 'a'.repeat(500), { ...file, isLineStart: false }, 110],
    ['a full file takes nothing', 'a\n', { ...file, size: 100 }, 0],
  ])('%s', (_, chunk, state, fits) => {
    expect(bytesThatFit(bytes(chunk), state)).toBe(fits)
  })
})

describe('a stream log', () => {
  it('writes the bytes of the program and nothing else', async () => {
    const files = memoryFiles()
    const log = await StreamLog.open(files, base, large)
    log.begin('api-1')
    log.write(bytes('one\ntwo'), 1_000)
    log.write(bytes(' and a half\n\xff'), 2_000)
    expect(files.text(`${base}.log`)).toBe('one\ntwo and a half\n\xff')
  })

  it('makes no file before there is something to write', async () => {
    const files = memoryFiles()
    const log = await StreamLog.open(files, base, large)
    log.begin('api-1')
    expect(files.paths()).toEqual([])
  })

  it('reads nothing of files that are not there: most streams of most programs are silent', async () => {
    const files = memoryFiles()
    let reads = 0
    files.beforeRead = () => void (reads += 1)
    await StreamLog.open(files, base, large)
    // What was rotated away last says which number comes next.
    expect(reads).toBe(1)
  })

  it('knows when each line began and who wrote it', async () => {
    const files = memoryFiles()
    const log = await StreamLog.open(files, base, large)
    log.begin('api-1')
    log.write(bytes('one\ntw'), 1_000)
    log.write(bytes('o\nthree\n'), 2_000)
    log.write(bytes('last words'), 2_000)
    log.begin('api-2')
    log.write(bytes('hello\n'), 3_000)
    expect((await linesIn(files)).map((line) => [line.timeMs, line.instance, displayTextOf(line.bytes)])).toEqual([
      [1_000, 'api-1', 'one'],
      [1_000, 'api-1', 'two'],
      [2_000, 'api-1', 'three'],
      [2_000, 'api-1', 'last words'],
      [3_000, 'api-2', 'hello'],
    ])
  })

  it('notes a time at most once a millisecond, and none for the middle of a line', async () => {
    const files = memoryFiles()
    const log = await StreamLog.open(files, base, large)
    for (let at = 0; at < 100; at++) log.write(bytes('x\n'), 1_000)
    for (let at = 0; at < 100; at++) log.write(bytes('.'), 2_000 + at)
    expect(files.bytes(`${base}.idx`)?.length).toBe(2 * 16)
  })

  it('lets time stand still while the clock goes back', async () => {
    const files = memoryFiles()
    const log = await StreamLog.open(files, base, large)
    for (const timeMs of [5_000, 1_000, 6_000]) log.write(bytes(`${timeMs}\n`), timeMs)
    expect((await linesIn(files)).map(({ timeMs }) => timeMs)).toEqual([5_000, 5_000, 6_000])
  })

  it('rotates between lines and keeps as many files as it should', async () => {
    const files = memoryFiles()
    const log = await StreamLog.open(files, base, { maxBytes: 1_024, maxFiles: 3 })
    log.begin('api-1')
    for (let at = 0; at < 1_000; at++) log.write(bytes(`line ${at}\n`), at)
    const sizes = ['', '.1', '.2', '.3'].map((age) => files.bytes(`${base}.log${age}`)?.length)
    expect(sizes[3]).toBeUndefined()
    for (const size of sizes.slice(0, 3)) expect(size).toBeLessThanOrEqual(1_024)
    for (const age of ['', '.1', '.2']) expect(files.text(`${base}.log${age}`)).toMatch(/^line \d+\n[^]*\n$/)
    const lines = await linesIn(files)
    const first = 1_000 - lines.length
    expect(lines.map((line) => displayTextOf(line.bytes))).toEqual(lines.map((_, at) => `line ${first + at}`))
    expect(lines.map(({ timeMs }) => timeMs)).toEqual(lines.map((_, at) => first + at))
    expect(new Set(lines.map(({ instance }) => instance))).toEqual(new Set(['api-1']))
  })

  it('keeps only the newest when one file is all there may be', async () => {
    const files = memoryFiles()
    const log = await StreamLog.open(files, base, { maxBytes: 1_024, maxFiles: 1 })
    for (let at = 0; at < 1_000; at++) log.write(bytes(`line ${at}\n`), at)
    expect(files.paths()).toEqual([`${base}.ids`, `${base}.idx`, `${base}.log`])
    expect((await textIn(files)).at(-1)).toBe('line 999')
  })

  it('removes what a smaller limit no longer allows', async () => {
    const files = memoryFiles()
    const log = await StreamLog.open(files, base, { maxBytes: 1_024, maxFiles: 5 })
    log.write(bytes(`${'x'.repeat(99)}\n`.repeat(100)), 1)
    expect(files.paths()).toContain(`${base}.log.4`)
    await log.limit({ maxBytes: 1_024, maxFiles: 2 })
    expect(files.paths().filter((path) => path.includes('.log'))).toEqual([`${base}.log`, `${base}.log.1`])
  })

  it('goes on in the same file after a restart of the supervisor', async () => {
    const files = memoryFiles()
    const first = await StreamLog.open(files, base, large)
    first.begin('api-1')
    first.write(bytes('one\ntw'), 1_000)
    first.close()
    const second = await StreamLog.open(files, base, large)
    second.write(bytes('o\nthree\n'), 2_000)
    expect((await linesIn(files)).map((line) => [line.timeMs, line.instance, displayTextOf(line.bytes)])).toEqual([
      [1_000, 'api-1', 'one'],
      [1_000, 'api-1', 'two'],
      [2_000, 'api-1', 'three'],
    ])
  })

  it.each([
    ['is cut in the middle of a record', (idx: Uint8Array) => idx.subarray(0, 20)],
    ['is gone', () => undefined],
    [
      'is about more bytes than there are',
      (idx: Uint8Array) => new Uint8Array([...idx, ...new Uint8Array(6), 0xf0, 0x41, ...idx.subarray(8, 16)]),
    ],
  ])('puts a file aside whose index %s, and loses no line', async (_, damage) => {
    const files = memoryFiles()
    const first = await StreamLog.open(files, base, large)
    first.write(bytes('one\n'), 1_000)
    first.write(bytes('two\n'), 2_000)
    first.close()
    const index = damage(files.bytes(`${base}.idx`) ?? new Uint8Array(0))
    if (index === undefined) files.remove(`${base}.idx`)
    else files.replace(`${base}.idx`, index)
    const second = await StreamLog.open(files, base, large)
    second.write(bytes('three\n'), 3_000)
    expect(files.text(`${base}.log`)).toBe('three\n')
    expect(await textIn(files)).toEqual(['one', 'two', 'three'])
    expect((await linesIn(files)).at(-1)?.timeMs).toBe(3_000)
  })

  it('counts what a full disk does not take, and begins again with a whole line', async () => {
    const files = memoryFiles()
    const log = await StreamLog.open(files, base, large)
    log.begin('api-1')
    log.write(bytes('one\nhalf'), 1_000)
    files.freeBytes = 0
    log.write(bytes(' lost\nlost\nlo'), 2_000)
    log.write(bytes('st'), 2_000)
    expect(log.trouble?.errno).toBe('ENOSPC')
    files.freeBytes = 1_000
    log.write(bytes(' still\nfour\n'), 3_000)
    expect(log.trouble).toBeUndefined()
    expect(log.dropped).toEqual({ lines: 3, bytes: 13 + 2 + 7 })
    expect(files.text(`${base}.log`)).toBe('one\nhalffour\n')
    expect((await linesIn(files)).map((line) => [line.timeMs, displayTextOf(line.bytes)])).toEqual([
      [1_000, 'one'],
      [1_000, 'half'],
      [3_000, 'four'],
    ])
  })

  it('throws no old file away while the disk is full', async () => {
    const files = memoryFiles()
    const log = await StreamLog.open(files, base, { maxBytes: 1_024, maxFiles: 3 })
    log.write(bytes(`${'x'.repeat(99)}\n`.repeat(25)), 1)
    files.freeBytes = 0
    for (let at = 0; at < 50; at++) log.write(bytes(`${'y'.repeat(99)}\n`.repeat(100)), 2)
    for (const age of ['.1', '.2']) expect(files.bytes(`${base}.log${age}`)?.length).toBe(1_000)
  })

  it('forgets everything when cleared, and goes on', async () => {
    const files = memoryFiles()
    const log = await StreamLog.open(files, base, { maxBytes: 1_024, maxFiles: 3 })
    log.begin('api-1')
    log.write(bytes(`${'x'.repeat(99)}\n`.repeat(25)), 1)
    await log.clear()
    expect(files.paths()).toEqual([`${base}.idx`])
    log.write(bytes('new\n'), 2)
    expect((await linesIn(files)).map((line) => [line.instance, displayTextOf(line.bytes)])).toEqual([['api-1', 'new']])
  })

  it('is known to be another after it was cleared, also to the supervisor that comes next', async () => {
    const files = memoryFiles()
    const limits = { maxBytes: 1_024, maxFiles: 3 }
    const log = await StreamLog.open(files, base, limits)
    log.write(bytes(`${'x'.repeat(99)}\n`.repeat(25)), 1)
    const { generation } = log.end
    await log.clear()
    log.close()
    const next = await StreamLog.open(files, base, limits)
    expect(next.end).toEqual({ generation: generation + 1, offset: 0 })
    next.write(bytes('new\n'), 2)
    expect((await linesIn(files)).map(({ timeMs, bytes }) => [timeMs, displayTextOf(bytes)])).toEqual([[2, 'new']])
  })

  it('gives back every byte, however output is cut into chunks, rotated and read', async () => {
    const line = fc.string({ maxLength: 80, unit: 'binary' }).map((text) => text.replaceAll('\n', ''))
    const script = fc.array(
      fc.record({ text: fc.array(line, { minLength: 1, maxLength: 20 }), cut: fc.nat(500), waitMs: fc.nat(3) }),
      { maxLength: 30 },
    )
    await fc.assert(
      fc.asyncProperty(script, fc.integer({ min: 1_024, max: 3_000 }), async (steps, maxBytes) => {
        const files = memoryFiles()
        const log = await StreamLog.open(files, base, { maxBytes, maxFiles: 1_000 })
        let timeMs = 1_000
        let written = ''
        for (const { text, cut, waitMs } of steps) {
          const chunk = `${text.join('\n')}\n`
          written += chunk
          const raw = bytes(chunk)
          timeMs += waitMs
          log.write(raw.subarray(0, cut), timeMs)
          log.write(raw.subarray(cut), timeMs + 1)
          timeMs += 1
        }
        const expected = written.split('\n').slice(0, -1)
        expect(await textIn(files)).toEqual(expected)
        const wanted = { lines: 7, bytes: 1_000_000 }
        const last = await readLast(files, [source], wanted)
        expect(last.map((one) => displayTextOf(one.bytes))).toEqual(expected.slice(-7))
        const times = (await linesIn(files)).map((one) => one.timeMs)
        expect(times).toEqual([...times].sort((a, b) => a - b))
      }),
      { numRuns: 60 },
    )
  })
})

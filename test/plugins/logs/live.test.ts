import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LiveLines } from '../../../plugins/src/logs/live-lines.ts'
import { displayTextOf, longestLine, type LogLine } from '../../../plugins/src/logs/lines.ts'
import { compilePattern } from '../../../plugins/src/logs/pattern.ts'
import { readAll } from '../../../plugins/src/logs/reader.ts'
import { StreamLog } from '../../../plugins/src/logs/stream-log.ts'
import { collect } from './collect.ts'
import { memoryFiles } from './memory-files.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const lineOf = (text: string): LogLine => ({
  ...{ timeMs: 0, service: 'api', instance: 'api-1', stream: 'stdout' as const },
  bytes: bytes(text),
})

describe('live lines', () => {
  const listen = () => {
    const got: string[] = []
    return { got, onLine: (raw: Uint8Array, timeMs: number) => void got.push(`${timeMs} ${displayTextOf(raw)}`) }
  }

  it('come when they end, with the time when they began', () => {
    const live = new LiveLines()
    const { got, onLine } = listen()
    live.push(bytes('one\ntw'), 1, onLine)
    live.push(bytes('o\nthree'), 2, onLine)
    expect(got).toEqual(['1 one', '1 two'])
    live.flush(onLine)
    expect(got).toEqual(['1 one', '1 two', '2 three'])
  })

  it('include the beginning of a line that nobody followed yet', () => {
    const live = new LiveLines()
    const { got, onLine } = listen()
    live.push(bytes('gone\nhalf'), 1, undefined)
    live.push(bytes(' a line\n'), 2, onLine)
    expect(got).toEqual(['1 half a line'])
  })

  it('keep no more than one line of what never ends', () => {
    const live = new LiveLines()
    for (let at = 0; at < 1_000; at++) live.push(bytes('x'.repeat(1_000)), at, undefined)
    expect(live.pendingBytes).toBeLessThanOrEqual(longestLine + 1)
  })

  it('are the lines that reading the files gives', async () => {
    const text = fc.oneof(
      fc.string({ maxLength: 50, unit: 'binary' }),
      fc.constant('\n'),
      fc.nat(3 * longestLine).map((length) => 'é'.repeat(length / 2)),
      fc.constant(`${'y'.repeat(longestLine)}\n`),
    )
    const source = { service: 'api', stream: 'stdout' as const, base: '/logs/api/0/stdout' }
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 12 }), fc.integer({ min: 1, max: 70_000 }), async (parts, cut) => {
        const files = memoryFiles()
        const log = await StreamLog.open(files, source.base, { maxBytes: 100_000_000, maxFiles: 2 })
        const live = new LiveLines()
        const got: Uint8Array[] = []
        const all = bytes(parts.join(''))
        for (let at = 0; at < all.length; at += cut) {
          log.write(all.subarray(at, at + cut), at)
          live.push(all.subarray(at, at + cut), at, (raw) => void got.push(raw))
        }
        live.flush((raw) => void got.push(raw))
        const read = await collect(readAll(files, [source]))
        expect(got.map(({ length }) => length)).toEqual(read.map((line) => line.bytes.length))
        expect(got.map(displayTextOf)).toEqual(read.map((line) => displayTextOf(line.bytes)))
      }),
      { numRuns: 40 },
    )
  })
})

describe('a pattern', () => {
  const still = () => 0

  it.each([
    ['error|warn', 'a warning', true],
    ['^ready$', 'ready\n', true],
    ['\\d{3,}', 'status 503', true],
    ['[(+]+', 'a(b', true],
    ['(a|b)+c', 'abac', true],
    ['\\-', 'a-b', true],
    ['x', 'y', false],
  ])('%s fits %j: %s', (pattern, text, fits) => {
    expect(compilePattern(pattern, still)(lineOf(text))).toBe(fits)
  })

  it.each(['(a+)+$', '(a*|b)*', '((a+)b)+', '(?:x{2,})+', '('])('%s is refused', (pattern) => {
    expect(() => compilePattern(pattern, still)).toThrow(expect.objectContaining({ code: 'SYSG_LOGS_PATTERN' }))
  })

  it('is given up when it turns out slow', () => {
    let nowMs = 0
    const matches = compilePattern('x', () => (nowMs += 900))
    const search = () => {
      for (let at = 0; at < 10; at++) matches(lineOf('y'))
    }
    expect(search).toThrow(expect.objectContaining({ code: 'SYSG_LOGS_PATTERN' }))
  })
})

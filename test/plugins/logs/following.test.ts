/** A reader that may be slow: nothing is lost, nothing comes twice, and little waits in memory. */
import { Registry } from '@systemg/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Channel, type ChannelWorld } from '../../../plugins/src/logs/channel.ts'
import { Followers } from '../../../plugins/src/logs/followers.ts'
import { Following, type Lost } from '../../../plugins/src/logs/following.ts'
import type { LogSource } from '../../../plugins/src/logs/layout.ts'
import { displayTextOf, longestLine, type LogLine } from '../../../plugins/src/logs/lines.ts'
import { readAll } from '../../../plugins/src/logs/reader.ts'
import { Sinks } from '../../../plugins/src/logs/sinks.ts'
import type { Position } from '../../../plugins/src/logs/stream-log.ts'
import { collect } from './collect.ts'
import { memoryFiles, type MemoryFiles } from './memory-files.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const nothing = new Uint8Array(0)

/** One follower of the streams `names`, written and read by hand. */
const begin = async (names: readonly string[], limits = { maxBytes: 1_000_000, maxFiles: 100 }) => {
  let now = 0
  const files = memoryFiles()
  const followers = new Followers()
  const clock = { now: () => ++now, monotonic: () => now }
  const sinks = new Sinks(new Registry('sink'), () => undefined)
  const world: ChannelWorld = { files, clock, followers, sinks, onTrouble: () => undefined }
  const following = new Following(files, { isWanted: () => true })
  const stop = followers.add(following)
  const open = (name: string) =>
    Channel.open(world, { service: name, stream: 'stdout', base: `/logs/${name}/0/stdout` }, limits)
  const channels = new Map<string, Channel>()
  for (const name of names) {
    const channel = await open(name)
    channel.begin(`${name}-1`)
    channels.set(name, channel)
  }
  const batches = following.batches()
  let ready: readonly (LogLine | Lost)[] = []
  /** The next few, as `service text`; a number for so many that were lost. */
  const read = async (count: number): Promise<(string | number)[]> => {
    const got: (string | number)[] = []
    while (got.length < count) {
      if (ready.length === 0) {
        const next = await batches.next()
        if (next.done === true) break
        ready = next.value.lines
      }
      const taken = ready.slice(0, count - got.length)
      ready = ready.slice(taken.length)
      for (const one of taken) got.push('lost' in one ? one.lost : `${one.service} ${displayTextOf(one.bytes)}`)
    }
    return got
  }
  return {
    files,
    following,
    stop,
    read,
    write: (name: string, text: string) => channels.get(name)?.receive(bytes(text)),
    /** As a host does that can move bytes unseen; those that are to be seen are. */
    move: (name: string, text: string, atOnce = Number.POSITIVE_INFINITY) => {
      for (let rest = bytes(text); rest.length > 0;) {
        let moved = 0
        const isTaken = channels.get(name)?.takeUnseen((file, most) => {
          moved = Math.min(most, atOnce, rest.length)
          file.write(rest.subarray(0, moved))
          return moved
        })
        if (isTaken !== true) channels.get(name)?.receive(rest)
        rest = isTaken === true ? rest.subarray(moved) : nothing
      }
    },
    lineEnd: (name: string) => channels.get(name)?.lineEnd,
    follow: () => {
      const another = new Following(files, { isWanted: () => true })
      followers.add(another)
      return another
    },
    begin: (name: string, instance: string) => channels.get(name)?.begin(instance),
    finish: (name: string) => channels.get(name)?.finishLine(),
    /** Everything that is left. */
    rest: () => {
      following.end()
      return read(Number.POSITIVE_INFINITY)
    },
  }
}

/** The supervisor dies and comes back: streams are opened again, and gone on with. */
const another = async (files: MemoryFiles, resumes: string, now: () => number) => {
  const followers = new Followers()
  const sinks = new Sinks(new Registry('sink'), () => undefined)
  const world = { files, clock: { now, monotonic: now }, followers, sinks, onTrouble: () => undefined }
  const source: LogSource = { service: 'api', stream: 'stdout', base: '/logs/api/0/stdout' }
  const channel = await Channel.open(world, source, { maxBytes: 1_000_000, maxFiles: 100 })
  channel.resume(resumes)
  const got: string[] = []
  followers.add({
    wants: () => true,
    take: () => (one) => void got.push(`${one.timeMs} ${displayTextOf(one.bytes)}`),
  })
  return { channel, got }
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => `${from + at}\n`).join('')
const shown = (name: string, from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => `${name} ${from + at}`)

const shownWithTime = ({ timeMs, instance, bytes }: LogLine) =>
  `${timeMs} ${instance} ${bytes.length} ${displayTextOf(bytes.subarray(0, 20))}`

describe('following', () => {
  it('gives what came before the first line was asked for, and then lines as they come', async () => {
    const at = await begin(['api'])
    at.write('api', '0\n1\n2')
    expect(await at.read(2)).toEqual(['api 0', 'api 1'])
    const next = at.read(2)
    at.write('api', 'x\n3\n')
    expect(await next).toEqual(['api 2x', 'api 3'])
    expect(await at.rest()).toEqual([])
  })

  it('keeps little in memory when more comes than is read, and reads the rest from the files', async () => {
    const at = await begin(['api'])
    const first = at.read(1)
    at.write('api', numbers(0, 1))
    await first
    let reads = 0
    at.files.beforeRead = () => void (reads += 1)
    for (let from = 1; from < 100_001; from += 1_000) at.write('api', numbers(from, from + 1_000))
    at.write('api', 'the end')
    at.finish('api')
    expect(reads).toBe(0)
    const rest = await at.rest()
    expect(reads).toBeGreaterThan(0)
    expect(rest).toEqual([...shown('api', 1, 100_001), 'api the end'])
  })

  it('is live again after it has caught up', async () => {
    const at = await begin(['api', 'db'])
    at.write('api', numbers(0, 100_000))
    at.write('db', numbers(0, 10))
    const got = await at.read(100_010)
    expect(got.filter((line) => String(line).startsWith('api'))).toEqual(shown('api', 0, 100_000))
    const next = at.read(2)
    await Promise.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    at.files.beforeRead = () => {
      throw new Error('it reads a file')
    }
    at.write('db', 'live\n')
    at.write('api', 'live\n')
    expect(await next).toEqual(['db live', 'api live'])
  })

  it('says how many lines were rotated away before they were read', async () => {
    const at = await begin(['api'], { maxBytes: 10_000, maxFiles: 2 })
    at.write('api', numbers(0, 10))
    expect(await at.read(10)).toEqual(shown('api', 0, 10))
    for (let from = 10; from < 100_010; from += 100) at.write('api', numbers(from, from + 100))
    const rest = await at.rest()
    const lost = rest.filter((item) => typeof item === 'number').reduce((sum, count) => sum + count, 0)
    const lines = rest.filter((item) => typeof item === 'string')
    expect(lost).toBeGreaterThan(90_000)
    expect(lost + lines.length).toBe(100_000)
    expect(lines.at(-1)).toBe('api 100009')
  })

  it('gives every line once and in order, however it is written and read', async () => {
    const step = fc.oneof(
      fc.record({ write: fc.constantFrom('api', 'db'), lines: fc.nat(1_500), cut: fc.boolean() }),
      fc.record({ read: fc.nat(2_000) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), fc.constantFrom(5_000, 60_000), async (steps, maxBytes) => {
        const at = await begin(['api', 'db'], { maxBytes, maxFiles: 1_000 })
        const written: Record<string, number> = { api: 0, db: 0 }
        const got: (string | number)[] = []
        let ready = 0
        for (const one of steps) {
          if ('read' in one) {
            // What is not there yet would be waited for.
            const count = Math.min(one.read, ready)
            got.push(...(await at.read(count)))
            ready -= count
          } else {
            const from = written[one.write] ?? 0
            const text = numbers(from, from + one.lines)
            const middle = one.cut ? text.length >> 1 : text.length
            at.write(one.write, text.slice(0, middle))
            if (middle < text.length) at.write(one.write, text.slice(middle))
            written[one.write] = from + one.lines
            ready += one.lines
          }
        }
        got.push(...(await at.rest()))
        for (const name of ['api', 'db'])
          expect(got.filter((line) => String(line).startsWith(name))).toEqual(shown(name, 0, written[name] ?? 0))
        expect(got.length).toBe((written['api'] ?? 0) + (written['db'] ?? 0))
      }),
      { numRuns: 30 },
    )
  })

  it('gives a line that the supervisor died under as one, with the time when it began', async () => {
    const at = await begin(['api'])
    at.write('api', 'one\n')
    at.move('api', 'half of ')
    at.move('api', 'a ')
    const { channel, got } = await another(at.files, 'api-1', () => 1_000)
    const opened = channel.opened
    channel.receive(bytes('line\nnext\n'))
    expect(got).toEqual(['2 half of a line', '1000 next'])
    expect(opened).toEqual({ generation: 1, offset: 4 })
  })

  it('begins a line where another instance goes on', async () => {
    const at = await begin(['api'])
    at.write('api', 'half')
    const { channel, got } = await another(at.files, 'api-2', () => 1_000)
    channel.receive(bytes('new\n'))
    expect(got).toEqual(['1000 new'])
    expect(channel.opened).toEqual({ generation: 1, offset: 4 })
  })

  it('tells with every batch where the next one begins', async () => {
    const source: LogSource = { service: 'api', stream: 'stdout', base: '/logs/api/0/stdout' }
    const step = fc.record({ lines: fc.nat(4_000), cut: fc.nat(7), reads: fc.nat(3) })
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 8 }),
        fc.constantFrom(30_000, 1_000_000),
        async (steps, maxBytes) => {
          const at = await begin(['api'], { maxBytes, maxFiles: 1_000 })
          const batches = at.follow().batches()
          let count = 0
          let written = ''
          let seen = ''
          let end: Position | undefined
          const next = async () => {
            const got = await batches.next()
            if (got.done === true) return
            const { value } = got
            for (const one of value.lines) if (!('lost' in one)) seen += Buffer.from(one.bytes).toString()
            end = value.ends.get(source.base) ?? end
          }
          for (const { lines, cut, reads } of steps) {
            const text = numbers(count, count + lines)
            count += lines
            const middle = Math.max(0, text.length - cut)
            at.write('api', text.slice(0, middle))
            written += text.slice(0, middle)
            for (let n = 0; n < reads && written.lastIndexOf('\n') + 1 > seen.length; n++) await next()
            at.write('api', text.slice(middle))
            written += text.slice(middle)
          }
          const rest = await collect(readAll(at.files, [source], { start: () => end }))
          expect(seen + rest.map((one) => Buffer.from(one.bytes).toString()).join('') === written).toBe(true)
        },
      ),
      { numRuns: 40 },
    )
  })

  it('gives what went into the files unseen before, and then every line with the time when it began', async () => {
    const source: LogSource = { service: 'api', stream: 'stdout', base: '/logs/api/0/stdout' }
    const part = fc.record({
      text: fc.oneof(
        {
          weight: 4,
          arbitrary: fc
            .array(fc.constantFrom('a', 'b', 'bc\n', '\n', 'é'), { maxLength: 8 })
            .map((all) => all.join('')),
        },
        { weight: 1, arbitrary: fc.nat(50_000).map((length) => 'x'.repeat(length)) },
        { weight: 1, arbitrary: fc.nat(8_000).map((count) => numbers(0, count)) },
      ),
      atOnce: fc.integer({ min: 1_000, max: 300_000 }),
      isSeen: fc.boolean(),
      instance: fc.constantFrom(null, null, null, 2, 3),
    })
    const parts = fc.array(part, { maxLength: 12 })
    const arbitraries = [parts, parts, fc.boolean(), fc.constantFrom(300_000, 330_000, 1_000_000)] as const
    await fc.assert(
      fc.asyncProperty(...arbitraries, async (before, after, isLive, maxBytes) => {
        const at = await begin(['api'], { maxBytes, maxFiles: 1_000 })
        at.stop()
        for (const { text, atOnce, isSeen, instance } of before) {
          if (instance !== null) at.begin('api', `api-${instance}`)
          if (isSeen) at.write('api', text)
          else at.move('api', text, atOnce)
        }
        const end = at.lineEnd('api')
        const following = at.follow()
        const batches = following.batches()
        const first = isLive ? batches.next() : undefined
        const lines = [...(await collect(readAll(at.files, [source], { end: () => end })))]
        for (const { text, atOnce, instance } of after) {
          if (instance !== null) at.begin('api', `api-${instance}`)
          at.move('api', text, atOnce)
        }
        at.finish('api')
        following.end()
        const batch = await first
        const rest = [
          ...(batch?.done === false ? batch.value.lines : []),
          ...(await collect(batches)).flatMap((one) => one.lines),
        ]
        for (const line of rest) if (!('lost' in line)) lines.push(line)
        const written = [...before, ...after].map(({ text }) => text).join('')
        expect(Buffer.concat(lines.map((line) => line.bytes)).toString() === written).toBe(true)
        // Where an overlong line is split depends on where one begins to look.
        if (written.split('\n').some((line) => Buffer.byteLength(line) > longestLine)) return
        const inFiles = await collect(readAll(at.files, [source]))
        expect(lines.map(shownWithTime)).toEqual(inFiles.map(shownWithTime))
      }),
      { numRuns: 60 },
    )
  })
})

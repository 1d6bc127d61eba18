import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { readPaced } from '../../../cli/src/host/paced-reading.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

/** A pipe in the hand of the test, and how often it was read. */
const paced = () => {
  const pipe = { bytes: 0, reads: 0, isWatched: false }
  let onReadable = (): void => undefined
  const reading = readPaced(
    3,
    () => {
      pipe.reads += 1
      const { bytes } = pipe
      pipe.bytes = 0
      return bytes
    },
    (_, callback) => {
      onReadable = callback
      return {
        start: () => (pipe.isWatched = true),
        stop: () => (pipe.isWatched = false),
        close: () => Promise.resolve(),
      }
    },
  )
  reading.start()
  return {
    pipe,
    reading,
    /** A program writes, and the event loop looks. */
    write: (bytes: number): void => {
      pipe.bytes += bytes
      if (pipe.isWatched) onReadable()
    },
  }
}

it('reads at once what comes after a silence', () => {
  const { pipe, write } = paced()
  for (let line = 1; line <= 5; line++) {
    write(100)
    expect(pipe).toMatchObject({ bytes: 0, reads: line })
    vi.advanceTimersByTime(10)
  }
  expect(pipe.reads).toBe(5)
})

it('reads once a millisecond what comes in small writes, and sleeps when nothing comes', () => {
  const { pipe, write } = paced()
  for (let ms = 0; ms < 100; ms++) {
    for (let line = 0; line < 100; line++) write(100)
    vi.advanceTimersByTime(1)
  }
  expect(pipe.reads).toBeLessThanOrEqual(102)
  expect(pipe.bytes).toBe(0)
  vi.advanceTimersByTime(1)
  expect(pipe.isWatched).toBe(true)
  expect(vi.getTimerCount()).toBe(0)
})

it('reads without a pause what comes in large writes', () => {
  const { pipe, write } = paced()
  for (let n = 0; n < 100; n++) write(64 * 1024)
  expect(pipe).toMatchObject({ reads: 100, bytes: 0 })
})

it('watches again as soon as a pause brings much', () => {
  const { pipe, write } = paced()
  write(1)
  write(1)
  write(64 * 1024)
  expect(pipe.isWatched).toBe(false)
  vi.advanceTimersByTime(1)
  expect(pipe).toMatchObject({ isWatched: true, bytes: 0, reads: 3 })
})

it('reads nothing while stopped, and again once started', () => {
  const { pipe, write, reading } = paced()
  write(1)
  write(1)
  reading.stop()
  write(1)
  vi.advanceTimersByTime(10)
  expect(pipe).toMatchObject({ isWatched: false, bytes: 1, reads: 2 })
  reading.start()
  write(1)
  expect(pipe).toMatchObject({ isWatched: true, bytes: 0, reads: 3 })
})

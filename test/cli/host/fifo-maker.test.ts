import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import type { HeldEntry, Keeper } from '../../../cli/src/host/held.ts'
import { FifoMaker } from '../../../cli/src/host/fifo-maker.ts'

/** Keeps a list of what it was given, and takes its time. */
class ListKeeper implements Keeper {
  readonly kept = new Set<string>()
  isSecured = Promise.withResolvers<void>()

  keep({ label }: HeldEntry): () => void {
    this.kept.add(label)
    return () => this.kept.delete(label)
  }

  secured(): Promise<void> {
    return this.isSecured.promise
  }

  settled(): Promise<void> {
    return Promise.resolve()
  }
}

const setUp = (keeper?: Keeper) => {
  const folder = mkdtempSync(join(tmpdir(), 'sysg-fifos-'))
  const spares = join(folder, 'spares')
  const maker = new FifoMaker(spares, keeper)
  onTestFinished(async () => {
    await maker.close()
    rmSync(folder, { recursive: true })
  })
  const spareCount = () => (existsSync(spares) ? readdirSync(spares).length : 0)
  return { folder, spares, maker, spareCount, path: (name: string) => join(folder, name) }
}

const isPrivateFifo = (path: string): boolean => {
  const stat = lstatSync(path)
  return stat.isFIFO() && (stat.mode & 0o777) === 0o600
}

it('keeps none in store for those that are made together', async () => {
  const { maker, path, spareCount } = setUp()
  await Promise.all([maker.make(path('a')), maker.make(path('b'))])
  expect([isPrivateFifo(path('a')), isPrivateFifo(path('b')), spareCount()]).toEqual([true, true, 0])
})

it('has some in store for those that come later, and makes more before they run out', async () => {
  const { maker, path, spareCount } = setUp()
  await maker.make(path('a'))
  await maker.make(path('b'))
  let probes = 0
  await vi.waitFor(async () => {
    const probe = path(`probe${(probes += 1)}`)
    const made = maker.make(probe)
    const isThere = existsSync(probe)
    await made
    expect(isThere).toBe(true)
  })
  for (let n = 0; n < 25; n += 1) {
    const made = maker.make(path(`c${n}`))
    // In its place at once: nothing was waited for.
    expect(isPrivateFifo(path(`c${n}`))).toBe(true)
    await made
  }
  // Not always all 32: those taken while more are being made are made the next time.
  await vi.waitFor(() => expect(spareCount()).toBeGreaterThan(25))
})

it('makes a pipe all the same when the store was taken away', async () => {
  const { maker, path, spares, spareCount } = setUp()
  await maker.make(path('a'))
  await maker.make(path('b'))
  await vi.waitFor(() => expect(spareCount()).toBe(32))
  rmSync(spares, { recursive: true })
  await maker.make(path('c'))
  expect(isPrivateFifo(path('c'))).toBe(true)
})

it('removes what is in store, also what is being made, and what a killed supervisor left', async () => {
  const { maker, path, spares } = setUp()
  mkdirSync(join(spares, 'left'), { recursive: true })
  await maker.make(path('a'))
  await maker.make(path('b'))
  await maker.close()
  expect(existsSync(spares)).toBe(false)
})

it('hands out of its store only what is kept open beyond this process, until it is in its place', async () => {
  const keeper = new ListKeeper()
  const { maker, path, spareCount } = setUp(keeper)
  await maker.make(path('a'))
  await maker.make(path('b'))
  await vi.waitFor(() => expect(keeper.kept.size).toBe(32))
  await maker.make(path('c'))
  expect(spareCount()).toBe(32)
  keeper.isSecured.resolve()
  let probes = 0
  await vi.waitFor(async () => {
    await maker.make(path(`d${(probes += 1)}`))
    expect(spareCount()).toBeLessThan(32)
  })
  expect(keeper.kept.size).toBe(spareCount())
  await maker.close()
  expect(keeper.kept.size).toBe(0)
})

import type { TreeRef } from '@systemg/core'
import { createWorld, exitsAfter, serve } from '@systemg/core/simulated'
import { describe, expect, it } from 'vitest'
import { worldOf, start, never, stateOf } from './world-for-tests.ts'

describe('virtual time', () => {
  it('runs timers in order of their time, those of one moment in the order they were set', async () => {
    const { world, host } = worldOf(serve())
    const fired: string[] = []
    for (const [name, delayMs] of Object.entries({ c: 20, a: 10, d: 20, b: 10 }))
      host.clock.timer(delayMs, () => fired.push(`${name}@${world.elapsedMs()}`))
    await world.advance(20)
    expect(fired).toEqual(['a@10', 'b@10', 'c@20', 'd@20'])
  })

  it('does all that one timer causes before the next one fires', async () => {
    const { world, host } = worldOf(serve())
    const order: string[] = []
    host.clock.timer(10, () => {
      void (async () => {
        for (let hop = 0; hop < 500; hop++) await Promise.resolve()
        order.push('consequence')
      })()
    })
    host.clock.timer(10, () => order.push('next'))
    await world.advance(10)
    expect(order).toEqual(['consequence', 'next'])
  })

  it('lets a timer set by a timer fire within the same advance', async () => {
    const { world, host } = worldOf(serve())
    const beats: number[] = []
    const beat = () => {
      beats.push(world.elapsedMs())
      host.clock.timer(100, beat)
    }
    host.clock.timer(100, beat)
    await world.advance(350)
    expect(beats).toEqual([100, 200, 300])
    expect(world.elapsedMs()).toBe(350)
  })

  it('moves only the wall clock when it jumps, and fires nothing because of it', async () => {
    const { world, host } = worldOf(serve(), { startMs: 1_000_000 })
    let fired = false
    host.clock.timer(1_000, () => (fired = true))
    const steadyMs = host.clock.monotonic()
    world.jump(3_600_000)
    await world.settle()
    expect(host.clock.now()).toBe(4_600_000)
    world.jump(-7_200_000)
    await world.advance(999)
    expect([fired, host.clock.now(), host.clock.monotonic() - steadyMs]).toEqual([false, -2_599_001, 999])
    await world.advance(1)
    expect(fired).toBe(true)
  })

  it('counts the timers that supervisors have left behind, and not those of programs', async () => {
    const { world, host } = worldOf(exitsAfter(5_000))
    const other = world.host()
    const cancel = host.clock.timer(10, () => undefined)
    host.clock.timer(20, () => undefined)
    other.clock.timer(20, () => undefined)
    await start(host)
    expect([world.pendingTimers(), world.pendingTimers(host)]).toEqual([3, 2])
    cancel()
    await world.advance(20)
    expect(world.pendingTimers()).toBe(0)
  })

  it('stops at an error of a timer, and can go on from there', async () => {
    const { world, host } = worldOf(serve())
    host.clock.timer(10, () => {
      throw new Error('in the timer')
    })
    await expect(world.advance(100)).rejects.toThrow('in the timer')
    expect(world.elapsedMs()).toBe(10)
    await world.advance(90)
    expect(world.elapsedMs()).toBe(100)
  })

  it('refuses to be moved by two at once, and backwards', async () => {
    const { world } = worldOf(serve())
    const first = world.advance(10)
    await expect(world.advance(10)).rejects.toThrow('moving already')
    await first
    await expect(world.advance(-1)).rejects.toThrow(RangeError)
    await expect(world.advance(NaN)).rejects.toThrow(RangeError)
  })

  it('names a timer that sets itself again without a delay instead of hanging', async () => {
    const { world, host } = worldOf(serve())
    const again = () => void host.clock.timer(0, again)
    again()
    await expect(world.settle()).rejects.toThrow('Time stands still')
  })

  it('goes from event to event until a condition holds', async () => {
    const { world, host } = worldOf(exitsAfter(90_000))
    const { tree } = await start(host)
    const gone = stateOf(host.processes.gone(tree, never()))
    expect(await world.until(() => gone.is === 'resolved')).toBe(true)
    expect(world.elapsedMs()).toBe(90_000)
    expect(await world.until(() => false, 500)).toBe(false)
    expect(world.elapsedMs()).toBe(90_500)
  })
})

/** A little of everything that is left to chance or to time; the whole story as text. */
const story = async (seed: number): Promise<string> => {
  const world = createWorld({
    seed,
    programs: () => (self) => {
      self.write(`${self.pid} ${self.random()}\n`)
      self.after(self.random() * 1_000, () => self.exit(Math.floor(self.random() * 256)))
    },
  })
  const host = world.host()
  const lines: string[] = []
  world.processes.watch(({ process, exit }) =>
    lines.push(`${world.elapsedMs()} ${process.pid} ${process.startTime} ${process.token} ${JSON.stringify(exit)}`),
  )
  const pipe = await host.output('/out', (chunk) => void lines.push(new TextDecoder().decode(chunk)))
  for (let run = 0; run < 20; run++) {
    void start(host, { stdout: pipe.writer })
    await world.advance(host.random() * 100)
  }
  await world.advance(2_000)
  return lines.join('\n')
}

describe('chance', () => {
  it('tells the same story, byte for byte, for the same seed, and another for another', async () => {
    const [first, second, other] = [await story(7), await story(7), await story(8)]
    expect(first).toBe(second)
    expect(other).not.toBe(first)
    expect(first.split('\n').length).toBeGreaterThan(40)
  })

  it('gives no two supervisors the same numbers and tokens', () => {
    const world = createWorld()
    const [one, two] = [world.host(), world.host()]
    expect(one.random()).not.toBe(two.random())
    expect(one.token()).not.toBe(two.token())
  })
})

describe('speed', () => {
  it('starts and stops a thousand services in a moment', async () => {
    const { world, host } = worldOf(serve())
    const trees: TreeRef[] = []
    for (let service = 0; service < 1_000; service++) trees.push((await start(host)).tree)
    const gone = trees.map((tree) => host.processes.gone(tree, never()))
    for (const tree of trees) await host.processes.signal(tree, 'SIGTERM')
    await Promise.all(gone)
    expect(world.processes.list()).toEqual([])
  }, 10_000)
})

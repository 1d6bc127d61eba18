/** `Host.clock`, `Host.random` and `Host.token`. */
import type { Part } from './session.ts'

export const clockContract: Part = (check, expect) => {
  check('fires timers in the order of their delays, each once', async ({ host, at }) => {
    const fired: string[] = []
    host.clock.timer(60, () => fired.push('third'))
    host.clock.timer(0, () => fired.push('first'))
    host.clock.timer(30, () => fired.push('second'))
    await at.until(() => fired.length >= 3)
    await at.pass(50)
    expect(fired).toEqual(['first', 'second', 'third'])
  })

  check('fires no timer before the call that sets it has returned', async ({ host, at }) => {
    let fired = false
    host.clock.timer(0, () => (fired = true))
    expect(fired).toBe(false)
    await at.until(() => fired)
  })

  check('does not fire a timer that was cancelled, and takes a late cancel in good part', async ({ host, at }) => {
    const fired: string[] = []
    const cancel = host.clock.timer(10, () => fired.push('cancelled'))
    const cancelLate = host.clock.timer(20, () => fired.push('kept'))
    cancel()
    await at.until(() => fired.length > 0)
    cancelLate()
    cancel()
    await at.pass(20)
    expect(fired).toEqual(['kept'])
  })

  check('measures steady time by its own timers', async ({ host, at }) => {
    const startMs = host.clock.monotonic()
    let firedMs = -1
    host.clock.timer(50, () => (firedMs = host.clock.monotonic()))
    await at.until(() => firedMs >= 0)
    expect(firedMs - startMs).toBeGreaterThanOrEqual(50)
  })

  check('tells the wall time in milliseconds since 1970', async ({ host }) => {
    expect(new Date(host.clock.now()).getUTCFullYear()).toBeGreaterThanOrEqual(2024)
  })

  check('draws numbers from 0 to 1 that are not all the same', async ({ host }) => {
    const draws = Array.from({ length: 200 }, () => host.random())
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...draws)).toBeLessThan(1)
    expect(new Set(draws).size).toBeGreaterThanOrEqual(190)
  })

  check('makes tokens of at least 128 bits, none twice', async ({ host }) => {
    const tokens = Array.from({ length: 100 }, () => host.token())
    for (const token of tokens) expect(token).toMatch(/^[0-9a-f]{32,}$/)
    expect(new Set(tokens).size).toBe(100)
  })
}

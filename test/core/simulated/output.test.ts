import { all, exitsAfter, prints, serve } from '@systemg/core/simulated'
import { describe, expect, it } from 'vitest'
import { worldOf, start } from './world-for-tests.ts'

describe('simulated output', () => {
  it('comes after the exit of its writer, unless it is drained first', async () => {
    const { world, host } = worldOf(all(prints('last words'), exitsAfter(0, 1)))
    const order: string[] = []
    const pipe = await host.output('/out', (chunk) => order.push(new TextDecoder().decode(chunk)))
    const { exited } = await start(host, { stdout: pipe.writer })
    void exited.then(async () => {
      order.push('exited')
      await pipe.drain()
      order.push('drained')
    })
    await world.settle()
    expect(order).toEqual(['exited', 'last words', 'drained'])
  })

  it('takes back a chunk after the call, so that keeping it is noticed', async () => {
    const { world, host } = worldOf(prints('abc'))
    const kept: Uint8Array[] = []
    const pipe = await host.output('/out', (chunk) => kept.push(chunk))
    await start(host, { stdout: pipe.writer })
    await world.settle()
    expect([...(kept[0] ?? [])]).toEqual([0, 0, 0])
  })

  it('loses what a blocked writer had not written when that is killed, and nothing else', async () => {
    const { world, host } = worldOf(prints('x'.repeat(100_000)))
    let size = 0
    const pipe = await host.output('/out', (chunk) => (size += chunk.length))
    pipe.pause()
    const { tree } = await start(host, { stdout: pipe.writer })
    await host.processes.signal(tree, 'SIGKILL')
    pipe.resume()
    await world.settle()
    expect(size).toBe(65_536)
  })

  it('shows what goes to the terminal of the supervisor', async () => {
    const { world, host } = worldOf(all(prints('out '), prints('err', 'stderr')))
    await start(host, { stdout: 'inherit', stderr: 'inherit' })
    expect(world.terminal()).toBe('out err')
  })
})

describe('simulated trace', () => {
  it('keeps what hosts say, with facts, up to a bound', () => {
    const { world, host } = worldOf(serve())
    for (let line = 0; line < 10_005; line++) host.trace('info', 'line', { line })
    expect(world.traceLines.length).toBe(10_000)
    expect(world.traceLines[0]).toBe('0 info line {"line":5}')
  })
})

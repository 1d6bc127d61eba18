import { all, exitsAfter, prints, serve } from '@systemg/core/simulated'
import { describe, expect, it } from 'vitest'
import { worldOf, specOf, start, never, stateOf, bytes } from './world-for-tests.ts'

describe('a supervisor that is killed', () => {
  it('never hears of its timers and promises again', async () => {
    const { world, host } = worldOf(exitsAfter(100))
    let fired = false
    host.clock.timer(50, () => (fired = true))
    const { tree, exited } = await start(host)
    const promises = [
      exited,
      host.processes.gone(tree, never()),
      host.run({ argv: ['x'], env: {}, cwd: '/', signal: never() }),
      host.processes.members(tree),
    ].map(stateOf)
    world.crashSupervisor(host)
    await world.advance(10_000)
    expect(fired).toBe(false)
    expect(promises.map(({ is }) => is)).toEqual(['pending', 'pending', 'pending', 'pending'])
    expect(world.pendingTimers()).toBe(0)
  })

  it('can do nothing more with what code of it is still running', async () => {
    const { world, host } = worldOf(serve())
    const { tree } = await start(host)
    const table = host.store.table('t')
    const file = host.files.append('/log')
    world.crashSupervisor(host)
    table.set('key', 1)
    file.write(bytes('x'))
    void host.processes.signal(tree, 'SIGKILL')
    void host.processes.spawn(specOf(host))
    host.clock.timer(0, () => table.set('key', 2))
    await world.advance(1_000)
    expect(world.processes.list().map(({ pid }) => pid)).toEqual([tree.pid])
    expect(world.files.text('/log')).toBe('')
    expect(world.host().store.table('t').get('key')).toBe(undefined)
  })

  it('leaves its processes to process 1, for the next one to adopt under the same pids', async () => {
    const { world, host } = worldOf(serve())
    const { tree } = await start(host)
    expect(world.processes.list()[0]?.parentPid).toBe(host.pid)
    host[Symbol.dispose]()
    expect(world.processes.list()[0]?.parentPid).toBe(1)
    const next = world.host()
    const adopted = await next.processes.adopt(tree)
    expect(adopted?.tree).toEqual(tree)
    const exited = stateOf(adopted?.exited ?? Promise.reject(new Error('not adopted')))
    await world.advance(2_500)
    world.processes.exit(tree.pid, 0)
    const gone = stateOf(next.processes.gone(tree, never()))
    await world.settle()
    expect([gone.is, exited.is]).toEqual(['resolved', 'pending'])
    await world.advance(500)
    expect(exited.is).toBe('resolved')
    expect(await adopted?.exited).toEqual({ code: null, signal: null, unknown: true })
    expect(world.pendingTimers()).toBe(0)
  })

  it('keeps what it wrote to tables, and loses the records of logs that it had not flushed', async () => {
    const { world, host } = worldOf(serve())
    host.store.table('t').set('key', 'kept')
    const log = host.store.log('events')
    log.append(1, 1, 'flushed in time')
    await world.advance(100)
    log.append(2, 2, 'lost')
    await world.advance(99)
    expect(log.read({}).length).toBe(2)
    world.crashSupervisor(host)
    await world.advance(1_000)
    const next = world.host().store
    expect(next.table('t').get('key')).toBe('kept')
    expect(next.log('events').read({})).toEqual([{ seq: 1, timeMs: 1, value: 'flushed in time' }])
    expect(next.log('events').last()).toBe(1)
  })

  it('leaves nothing of a transaction in the middle of which it died', async () => {
    const { world, host } = worldOf(serve())
    const table = host.store.table('t')
    table.set('a', 1)
    host.store.transaction(() => {
      table.set('a', 2)
      world.crashSupervisor(host)
      table.set('b', 2)
    })
    expect(world.host().store.table('t').entries()).toEqual([['a', 1]])
  })

  it('can be killed just before any of its calls, which then has no effect', async () => {
    const { world, host } = worldOf(serve())
    world.faults.beforeCall = (call, caller) => {
      if (call === 'spawn') caller.kill()
    }
    const spawned = stateOf(host.processes.spawn(specOf(host)))
    await world.advance(1_000)
    expect(spawned.is).toBe('pending')
    expect(world.processes.list()).toEqual([])
  })

  it('closes its connections, and its socket answers nobody', async () => {
    const { world, host } = worldOf(serve())
    await host.net.serve('/s', (connection) => connection.onClose(() => expect.unreachable()))
    const client = await world.connect('/s')
    let closes = 0
    client.onClose(() => closes++)
    world.crashSupervisor(host)
    await world.settle()
    expect(closes).toBe(1)
    await expect(world.connect('/s')).rejects.toMatchObject({ errno: 'ECONNREFUSED' })
  })

  it('does not keep the next one from serving at the same path', async () => {
    const { world, host } = worldOf(serve())
    const accepted: string[] = []
    await host.net.serve('/s', () => accepted.push('first'))
    await expect(world.host().net.serve('/s', () => undefined)).rejects.toMatchObject({ errno: 'EADDRINUSE' })
    world.crashSupervisor(host)
    await world.host().net.serve('/s', () => accepted.push('second'))
    await world.connect('/s')
    expect(accepted).toEqual(['second'])
  })

  it('leaves unread output to the next one, and the writer waits for it', async () => {
    const { world, host } = worldOf(all(prints(`${'x'.repeat(70_000)}end`), exitsAfter(0, 4)))
    const first = await host.output('/out', () => expect.unreachable())
    first.pause()
    const { tree } = await start(host, { stdout: first.writer })
    await world.advance(1_000)
    world.crashSupervisor(host)
    expect(world.pipe('/out')).toMatchObject({ size: 65_536, blockedBytes: 4_467 })
    expect(world.processes.list().map(({ pid }) => pid)).toEqual([tree.pid])
    let text = ''
    await world.host().output('/out', (chunk) => (text += new TextDecoder().decode(chunk)))
    await world.settle()
    expect(text).toBe(`${'x'.repeat(70_000)}end`)
    expect(world.processes.list()).toEqual([])
  })
})

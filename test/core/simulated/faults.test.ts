import { HostError } from '@systemg/core'
import { serve, spawnFailure } from '@systemg/core/simulated'
import { describe, expect, it } from 'vitest'
import { worldOf, specOf, never, stateOf, bytes } from './world-for-tests.ts'

describe('simulated faults', () => {
  it('can make spawns fail a number of times, or by their spec', async () => {
    const { world, host } = worldOf(serve())
    world.failSpawns('EAGAIN', 2)
    expect(await host.processes.spawn(specOf(host))).toMatchObject({ errno: 'EAGAIN' })
    expect(await host.run({ argv: ['x'], env: {}, cwd: '/', signal: never() })).toMatchObject({
      failure: { errno: 'EAGAIN' },
    })
    expect(await host.processes.spawn(specOf(host))).toHaveProperty('tree')
    world.faults.spawn = ({ argv }) => (argv[0] === 'bad' ? spawnFailure('EACCES', 'not executable') : undefined)
    expect(await host.processes.spawn(specOf(host, { argv: ['bad'] }))).toMatchObject({ errno: 'EACCES' })
    expect(await host.processes.spawn(specOf(host, { argv: ['good'] }))).toHaveProperty('tree')
  })

  it('can fill the disk: nothing of a write that fails is kept', async () => {
    const { world, host } = worldOf(serve())
    world.faults.diskFreeBytes = 5
    const file = host.files.append('/log')
    file.write(bytes('1234'))
    expect(() => file.write(bytes('56'))).toThrow(expect.objectContaining({ errno: 'ENOSPC' }))
    expect([file.size, world.files.text('/log')]).toEqual([4, '1234'])
    world.faults.diskFreeBytes = Infinity
    file.write(bytes('56'))
    expect(world.files.text('/log')).toBe('123456')
  })

  it('can refuse writes to the store; records of logs wait until it takes them', async () => {
    const { world, host } = worldOf(serve())
    const table = host.store.table('t')
    world.faults.store = new HostError('ENOSPC', 'no space left')
    expect(() => table.set('a', 1)).toThrow(HostError)
    host.store.log('events').append(1, 1, 'waits')
    await world.advance(1_000)
    world.faults.store = undefined
    await world.advance(100)
    world.crashSupervisor(host)
    const next = world.host().store
    expect(next.table('t').entries()).toEqual([])
    expect(next.log('events').last()).toBe(1)
  })

  it('can make answers take time while effects are immediate', async () => {
    const { world, host } = worldOf(serve())
    world.faults.latencyMs = (call) => (call === 'spawn' ? 40 : 0)
    const spawned = stateOf(host.processes.spawn(specOf(host)))
    await world.advance(39)
    expect([spawned.is, world.processes.list().length]).toEqual(['pending', 1])
    await world.advance(1)
    expect(spawned.is).toBe('resolved')
  })

  it('refuses a stream that is closed or of another world', async () => {
    const { host } = worldOf(serve())
    const pipe = await host.output('/out', () => undefined)
    await pipe.close()
    expect(await host.processes.spawn(specOf(host, { stdout: pipe.writer }))).toMatchObject({ errno: 'EBADF' })
    const foreign = await worldOf(serve()).host.output('/out', () => undefined)
    expect(await host.processes.spawn(specOf(host, { stderr: foreign.writer }))).toMatchObject({ errno: 'EBADF' })
  })
})

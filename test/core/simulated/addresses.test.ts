import { createWorld, serve, type SimulatedWorld } from '@systemg/core/simulated'
import { describe, expect, it } from 'vitest'
import { worldOf, start } from './world-for-tests.ts'

describe('simulated addresses', () => {
  const address = 'tcp://127.0.0.1:8080'
  const listen = (world: SimulatedWorld, host = world.host()) => host.sockets.listen(address, {})

  it('gives an address to one supervisor, as often as it asks, and to nobody else meanwhile', async () => {
    const world = createWorld()
    const host = world.host()
    const [first, second] = [await listen(world, host), await listen(world, host)]
    expect(first).toMatchObject({ kind: 'socket', label: address })
    await expect(listen(world)).rejects.toMatchObject({ errno: 'EADDRINUSE' })
    first.close()
    first.close()
    await expect(listen(world)).rejects.toMatchObject({ errno: 'EADDRINUSE' })
    second.close()
    expect(await listen(world)).toMatchObject({ label: address })
  })

  it('keeps a socket for the supervisor that comes after one that was killed', async () => {
    const world = createWorld()
    const host = world.host()
    await listen(world, host)
    world.crashSupervisor(host)
    expect(await listen(world)).toMatchObject({ label: address })
  })

  it('keeps an address taken while a process that inherited it lives', async () => {
    const { world, host } = worldOf(serve())
    const socket = await listen(world, host)
    const { tree } = await start(host, { inherit: [socket] })
    socket.close()
    await expect(listen(world)).rejects.toMatchObject({ errno: 'EADDRINUSE' })
    world.processes.exit(tree.pid, 0)
    expect(await listen(world)).toMatchObject({ label: address })
  })

  it('lets a program bind an address until it ends, when nobody else has it', async () => {
    const { world, host } = worldOf((self) => {
      if (!self.bind(address)) self.exit(98)
    })
    world.occupy(address)
    expect(await (await start(host)).exited).toMatchObject({ code: 98 })
    world.occupy(address, false)
    const { tree } = await start(host)
    expect(await (await start(host)).exited).toMatchObject({ code: 98 })
    world.processes.kill(tree.pid, 'SIGTERM')
    expect(await listen(world, host)).toMatchObject({ label: address })
  })

  it('refuses what is no address', async () => {
    const host = createWorld().host()
    await expect(host.sockets.listen('8080', {})).rejects.toMatchObject({ errno: 'EINVAL' })
  })
})

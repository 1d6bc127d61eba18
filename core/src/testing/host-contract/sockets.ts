/** `Host.sockets`: who has an address, and until when. */
import { HostError, type Descriptor } from '../../host.ts'
import type { Part, Session } from './session.ts'

export const socketsContract: Part = (check, expect) => {
  check('listens, and says where', async (session) => {
    const address = addressOf(session)
    expect(await listen(session, address)).toMatchObject({ kind: 'socket', label: address })
  })

  check('gives one socket to who asks twice, which is free when both have been closed', async (session) => {
    const address = addressOf(session)
    const [first, second] = [await listen(session, address), await listen(session, address, { backlog: 7 })]
    const { tree } = await session.spawnReady(session.at.programs.sleeps(), { inherit: [first] })
    first.close()
    first.close()
    await session.wait(session.host.processes.signal(tree, 'SIGKILL'))
    await session.wait(session.host.processes.gone(tree, new AbortController().signal))
    await session.spawnReady(session.at.programs.sleeps(), { inherit: [second] })
    second.close()
    await session.wait(session.host.sockets.settled())
    expect(await session.failure(() => session.host.sockets.listen(address, {}))).toMatchObject({
      errno: 'EADDRINUSE',
    })
  })

  check('names the process that has an address, and gives it when that has ended', async (session) => {
    const address = addressOf(session)
    const socket = await listen(session, address)
    const { tree } = await session.spawnReady(session.at.programs.sleeps(), { inherit: [socket] })
    socket.close()
    await session.wait(session.host.sockets.settled())
    const failure = await session.failure(() => session.host.sockets.listen(address, {}))
    expect(failure instanceof HostError ? failure.pids : undefined).toEqual([tree.pid])
    await session.wait(session.host.processes.signal(tree, 'SIGKILL'))
    await session.wait(session.host.processes.gone(tree, new AbortController().signal))
    expect(await listen(session, address)).toMatchObject({ label: address })
  })

  check('listens on a unix socket, and again after it was closed', async (session) => {
    const address = `unix://${session.path('s.sock')}`
    const socket = await listen(session, address)
    socket.close()
    await session.wait(session.host.sockets.settled())
    expect(await listen(session, address)).toMatchObject({ label: address })
  })

  check('gives the next supervisor what the last one had', async (session) => {
    const address = addressOf(session)
    await listen(session, address)
    await session.reopen()
    expect(await listen(session, address)).toMatchObject({ label: address })
  })

  check('refuses what is no address', async (session) => {
    const failure = await session.failure(() => session.host.sockets.listen('8080', {}))
    expect(failure).toMatchObject({ errno: 'EINVAL' })
  })
}

/** Of the many that lead to this machine, one that nobody else uses. */
const addressOf = (session: Session): string => {
  const part = () => 1 + Math.floor(session.host.random() * 250)
  return `tcp://127.${part()}.${part()}.${part()}:18080`
}

const listen = (session: Session, address: string, options: { backlog?: number } = {}): Promise<Descriptor> =>
  session.wait(session.host.sockets.listen(address, options))

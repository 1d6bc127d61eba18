/** `Host.net`. */
import type { Connection } from '../../host.ts'
import { bytesOf, copyOf, join, pattern, same, textOf, type Part, type Session } from './session.ts'

export const netContract: Part = (check, expect) => {
  check('carries bytes both ways', async (session) => {
    const { client, server } = await connected(session)
    await session.wait(client.connection.write(bytesOf('ping')))
    await session.at.until(() => textOf(server.bytes()) === 'ping')
    await session.wait(server.connection.write(bytesOf('po')))
    await session.wait(server.connection.write(bytesOf('ng')))
    await session.at.until(() => textOf(client.bytes()) === 'pong')
  })

  check('carries many bytes in order', async (session) => {
    const { client, server } = await connected(session)
    const bytes = pattern(500_000)
    const written = server.connection.write(copyOf(bytes))
    await session.at.until(() => client.bytes().length >= bytes.length)
    await session.wait(written)
    expect(same(client.bytes(), bytes)).toBe(true)
  })

  check('tells each side once that the other has closed, after what was written before', async (session) => {
    const { client, server } = await connected(session)
    await session.wait(client.connection.write(bytesOf('last words')))
    client.connection.close()
    await session.at.until(() => server.closes() > 0 && client.closes() > 0)
    await session.at.pass(50)
    expect([client.closes(), server.closes()]).toEqual([1, 1])
    expect(textOf(server.bytes())).toBe('last words')
  })

  check('can close a connection from the side of the host', async (session) => {
    const { client, server } = await connected(session)
    server.connection.close()
    await session.at.until(() => client.closes() > 0 && server.closes() > 0)
  })

  check('keeps connections apart', async (session) => {
    const accepted: ReturnType<typeof collect>[] = []
    const served = await session.wait(
      session.host.net.serve(session.path('s'), (connection) => void accepted.push(collect(connection))),
    )
    const clients = [await session.at.connect(session.path('s')), await session.at.connect(session.path('s'))]
    await session.at.until(() => accepted.length === 2)
    await session.wait(clients[1]?.write(bytesOf('two')) ?? Promise.resolve())
    await session.at.until(() => accepted.some(({ bytes }) => textOf(bytes()) === 'two'))
    expect(accepted.map(({ bytes }) => textOf(bytes())).sort()).toEqual(['', 'two'])
    for (const client of clients) client.close()
    await session.at.until(() => accepted.every(({ closes }) => closes() === 1))
    await session.wait(served.close())
  })

  check('lets nobody in after it has stopped serving, and can serve there again', async (session) => {
    const path = session.path('s')
    const first = await session.wait(session.host.net.serve(path, () => undefined))
    await session.wait(first.close())
    expect((await session.failure(() => session.at.connect(path))) instanceof Error).toBe(true)
    const { served } = await connected(session)
    await session.wait(served.close())
  })
}

/** A connection between the host and a client. */
const connected = async (session: Session) => {
  let accepted: ReturnType<typeof collect> | undefined
  const served = await session.wait(
    session.host.net.serve(session.path('s'), (connection) => (accepted = collect(connection))),
  )
  const client = collect(await session.at.connect(session.path('s')))
  await session.at.until(() => accepted !== undefined)
  if (accepted === undefined) throw new Error('nobody was accepted')
  return { served, client, server: accepted }
}

const collect = (connection: Connection) => {
  const chunks: Uint8Array[] = []
  let closes = 0
  connection.onData((chunk) => void chunks.push(copyOf(chunk)))
  connection.onClose(() => closes++)
  return { connection, bytes: () => join(chunks), closes: () => closes }
}

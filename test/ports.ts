/** TCP ports of this machine that nobody uses at the moment. */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'

/** Three of them; take as many as you need. */
export const freePorts = async (): Promise<readonly [number, number, number]> => {
  const servers = [await listenOn(0), await listenOn(0), await listenOn(0)] as const
  const portOf = (server: Server) => (server.address() as AddressInfo).port
  const ports = [portOf(servers[0]), portOf(servers[1]), portOf(servers[2])] as const
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}

export const freePort = async (): Promise<number> => (await freePorts())[0]

/** Somebody who has the port. */
export const listenOn = async (port: number): Promise<Server> => {
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

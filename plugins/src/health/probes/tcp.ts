/** `tcp`: a connection that must be accepted. Nothing is sent. */
import type { Host, PeerAddress, Probe } from '@systemg/core'
import { untilAnsweredBy } from './attributed.ts'
import { reasonOf } from './reason.ts'

export const tcpProbe =
  ({ net, clock }: Pick<Host, 'net' | 'clock'>): Probe =>
  async ({ instance, options, signal, answeredBy }) => {
    const to = tcpAddressOf(String(options))
    if (to === undefined) throw new Error(`${String(options)} is no address`)
    try {
      const connection = await untilAnsweredBy(instance.id, clock, signal, () =>
        net.connect(to, { signal, answeredBy }),
      )
      connection.close()
    } catch (thrown) {
      throw signal.aborted && thrown === signal.reason ? thrown : new Error(reasonOf(thrown))
    }
  }

/** `undefined` when it is none. */
export const tcpAddressOf = (text: string): PeerAddress | undefined => {
  const [, path] = /^unix:\/\/(\/.+)$/.exec(text) ?? []
  if (path !== undefined) return { path }
  const [, v6, name = 'localhost', port = ''] =
    /^(?:tcp:\/\/)?(?:(?:\[([\da-fA-F:.]+)\]|([^\s:/[\]]+)):)?(\d+)$/.exec(text) ?? []
  const number = Number(port)
  return port !== '' && number > 0 && number < 65_536 ? { host: v6 ?? name, port: number } : undefined
}

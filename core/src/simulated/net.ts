/** Stream connections by socket path. What is written arrives a moment later, in order, and before the close. */
import { HostError, type Connection, type Net } from '../host.ts'
import type { Supervisor } from './supervisor.ts'
import type { Timeline } from './timeline.ts'

/** What one side may have unread before the other waits. */
const unreadBytes = 64 * 1024

interface Server {
  readonly supervisor: Supervisor
  readonly accept: (connection: Connection) => void
}

/** The sockets of a world. */
export class Network {
  readonly #timeline: Timeline
  readonly #servers = new Map<string, Server>()

  constructor(timeline: Timeline) {
    this.#timeline = timeline
  }

  /** Connect from outside, as a client command does. @throws {HostError} `ENOENT`, `ECONNREFUSED`. */
  async connect(path: string): Promise<Connection> {
    const server = this.#servers.get(path)
    if (server === undefined) throw new HostError('ENOENT', `connect ENOENT ${path}`)
    if (!server.supervisor.isAlive) throw new HostError('ECONNREFUSED', `connect ECONNREFUSED ${path}`)
    const { near, far } = this.#pair(undefined, server.supervisor)
    server.accept(far)
    return near
  }

  /** Both ends of a connection that a supervisor has made to a program. */
  pair(supervisor: Supervisor): { near: Connection; far: Connection } {
    return this.#pair(supervisor, undefined)
  }

  /** What one supervisor may serve. */
  netOf(supervisor: Supervisor): Pick<Net, 'serve'> {
    return {
      serve: (path, accept) =>
        supervisor.call('net.serve', () => {
          if (this.#servers.get(path)?.supervisor.isAlive === true)
            throw new HostError('EADDRINUSE', `listen EADDRINUSE: address already in use ${path}`)
          const server = { supervisor, accept }
          this.#servers.set(path, server)
          const close = () => {
            if (this.#servers.get(path) === server) this.#servers.delete(path)
          }
          return { close: () => supervisor.call('net.close', close) }
        }),
    }
  }

  clear(): void {
    this.#servers.clear()
  }

  #pair(nearOwner: Supervisor | undefined, farOwner: Supervisor | undefined): { near: End; far: End } {
    const near = new End(this.#timeline, nearOwner)
    const far = new End(this.#timeline, farOwner)
    near.peer = far
    far.peer = near
    return { near, far }
  }
}

class End implements Connection {
  peer: End | undefined
  readonly #timeline: Timeline
  readonly #owner: Supervisor | undefined
  readonly #unlink: (() => void) | undefined
  readonly #dataListeners: ((chunk: Uint8Array) => void)[] = []
  readonly #closeListeners: (() => void)[] = []
  readonly #unread: Uint8Array[] = []
  /** Writers on the other side that wait for room here. */
  #waiting: (() => void)[] = []
  /** `ending`: the other side has closed and there may be something left to read. */
  #state: 'open' | 'ending' | 'closed' = 'open'
  #isScheduled = false

  constructor(timeline: Timeline, owner: Supervisor | undefined) {
    this.#timeline = timeline
    this.#owner = owner
    this.#unlink = owner?.onKilled(() => this.close())
  }

  async write(data: Uint8Array): Promise<void> {
    const { peer } = this
    if (this.#state !== 'open' || peer === undefined || data.length === 0) return
    await peer.#receive(new Uint8Array(data))
  }

  onData(listener: (chunk: Uint8Array) => void): void {
    this.#dataListeners.push(listener)
    this.#schedule()
  }

  onClose(listener: () => void): void {
    this.#closeListeners.push(listener)
    this.#schedule()
  }

  close(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#unlink?.()
    this.#unread.length = 0
    this.#release()
    this.#schedule()
    if (this.peer !== undefined) this.peer.#end()
  }

  #receive(data: Uint8Array): Promise<void> {
    if (this.#state !== 'open') return Promise.resolve()
    this.#unread.push(data)
    this.#schedule()
    const size = this.#unread.reduce((sum, chunk) => sum + chunk.length, 0)
    return size <= unreadBytes ? Promise.resolve() : new Promise((resolve) => void this.#waiting.push(resolve))
  }

  #end(): void {
    if (this.#state === 'open') this.#state = 'ending'
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#timeline.after(0, () => {
      this.#isScheduled = false
      this.#deliver()
    })
  }

  #deliver(): void {
    if (this.#owner?.isAlive === false) return
    if (this.#dataListeners.length > 0) {
      for (let chunk; (chunk = this.#unread.shift()) !== undefined;)
        for (const listener of this.#dataListeners) listener(chunk)
      this.#release()
    }
    if (this.#state === 'ending') this.close()
    if (this.#state !== 'closed') return
    for (const listener of this.#closeListeners.splice(0)) listener()
  }

  #release(): void {
    const released = this.#waiting
    this.#waiting = []
    for (const resolve of released) resolve()
  }
}

/** The connections to the control socket: how many there may be, and how they end. */
import type { Clock, Connection, ControlMethod } from '@systemg/core'
import { Session, type SessionLimits } from './session.ts'

export interface ServerLimits extends SessionLimits {
  /** Connections at once. */
  readonly connections: number
}

const quietMs = 60_000

export class Sessions {
  readonly #clock: Pick<Clock, 'timer'>
  readonly #limits: ServerLimits
  readonly #method: (name: string) => ControlMethod | undefined
  readonly #open = new Set<Session>()
  readonly #tell: (message: string) => void
  #untold = 0
  #isQuiet = false
  #stopQuiet: () => void = () => undefined
  #isClosing = false

  /** @param tell - Told why a connection was ended, at most once a minute, with how many there were. */
  constructor(
    clock: Pick<Clock, 'timer'>,
    limits: ServerLimits,
    method: (name: string) => ControlMethod | undefined,
    tell: (message: string) => void = () => undefined,
  ) {
    this.#clock = clock
    this.#limits = limits
    this.#method = method
    this.#tell = tell
  }

  readonly accept = (connection: Connection): void => {
    if (this.#isClosing) {
      connection.close()
      return
    }
    const session = new Session(connection, {
      clock: this.#clock,
      limits: this.#limits,
      method: this.#method,
      onEnd: (ended) => this.#open.delete(ended),
      onRefused: (code) => this.#onRefused(code),
    })
    if (this.#open.size >= this.#limits.connections && !this.#makeRoom()) {
      const { connections } = this.#limits
      session.refuse('SYSG_CONTROL_FULL', `${connections} clients are connected already.`, 'Close some of them.')
      return
    }
    this.#open.add(session)
  }

  /** End all: what runs is told that the system stops, and has `goodbyeMs` to answer. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#stopQuiet()
    if (this.#open.size === 0) return
    const { promise: patience, resolve } = Promise.withResolvers<void>()
    const cancel = this.#clock.timer(this.#limits.goodbyeMs, resolve)
    await Promise.all([...this.#open].map((session) => session.end(patience)))
    cancel()
  }

  /** Whoever sends garbage without end must not fill the log. */
  #onRefused(code: string): void {
    this.#untold += 1
    if (this.#isQuiet || this.#isClosing) return
    const others = this.#untold > 1 ? `, and ${this.#untold - 1} more before` : ''
    this.#tell(`a control connection was ended: ${code}${others}`)
    this.#untold = 0
    this.#isQuiet = true
    this.#stopQuiet = this.#clock.timer(quietMs, () => (this.#isQuiet = false))
  }

  /** The connection that has been idle since long ago goes, so that forgotten ones cannot lock a person out. */
  #makeRoom(): boolean {
    const idle = [...this.#open].find(({ isIdle }) => isIdle)
    idle?.close()
    return idle !== undefined
  }
}

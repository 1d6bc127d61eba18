/**
 * One connection to the control socket, from its first byte to its end.
 *
 * Everything is bounded: the length of a frame, the time a frame may take, the requests that run at once, and what
 * waits to be sent. Whatever a client sends, only its own connection can suffer.
 */
import { SysgError, type Clock, type Connection, type ControlMethod } from '@systemg/core'
import { frame, FrameReader, FrameTooLong } from './framing.ts'
import { Outgoing } from './outgoing.ts'
import {
  errorOf,
  failure,
  idTaken,
  methodNotFound,
  notification,
  parseMessage,
  refusal,
  result,
  type RequestId,
  type RpcError,
  type RpcRequest,
} from './rpc.ts'

export interface SessionWorld {
  readonly clock: Pick<Clock, 'timer'>
  readonly limits: SessionLimits
  method(name: string): ControlMethod | undefined
  onEnd(session: Session): void
  /** The connection is ended for what its client did, with this code. */
  onRefused(code: string): void
}

export interface SessionLimits {
  /** Requests of one connection that may run at once. */
  readonly requests: number
  /** UTF-16 units that may wait for a slow reader before its subscription ends. Behind twice as much it is closed. */
  readonly waitingLength: number
  /** The longest frame. */
  readonly frameBytes: number
  /** How long a frame that has begun may take to arrive. */
  readonly frameMs: number
  /** Frames that are no requests, in a row, before the connection is closed. */
  readonly mistakes: number
  /** How long a client that is being closed may take to read the reason. */
  readonly goodbyeMs: number
}

export class Session {
  readonly #connection: Connection
  readonly #world: SessionWorld
  readonly #frames: FrameReader
  readonly #outgoing: Outgoing
  readonly #running = new Map<RequestId, AbortController>()
  readonly #settled = new Set<Promise<void>>()
  #cancelTimer: (() => void) | undefined
  #mistakes = 0
  #isEnding = false
  #isClosed = false

  constructor(connection: Connection, world: SessionWorld) {
    this.#connection = connection
    this.#world = world
    this.#frames = new FrameReader(world.limits.frameBytes)
    this.#outgoing = new Outgoing(connection)
    connection.onClose(() => this.#onClose())
    connection.onData((chunk) => this.#onData(chunk))
  }

  /** Nothing runs for it. */
  get isIdle(): boolean {
    return this.#running.size === 0
  }

  /** Take no more requests, let those that can end within `patience` do so, say goodbye to the others. */
  async end(patience: Promise<void>): Promise<void> {
    this.#isEnding = true
    for (const controller of this.#running.values()) controller.abort(new SysgError('SYSG_SHUTTING_DOWN', undefined))
    await Promise.race([Promise.all(this.#settled).then(() => this.#outgoing.flushed()), patience])
    this.close()
  }

  close(): void {
    if (this.#isClosed) return
    this.#connection.close()
    this.#onClose()
  }

  /** Tell why, then close. */
  refuse(code: `SYSG_${string}`, message: string, hint: string): void {
    this.#world.onRefused(code)
    this.#reply(failure(null, refusal(code, message, hint)))
    this.#closeSoon()
  }

  #onData(chunk: Uint8Array): void {
    if (this.#isClosed || this.#isEnding) return
    try {
      for (const text of this.#frames.push(chunk)) this.#onFrame(text)
    } catch (thrown) {
      if (!(thrown instanceof FrameTooLong)) throw thrown
      this.refuse('SYSG_CONTROL_FRAME_TOO_LONG', `Refused: ${thrown.message}.`, 'Send one JSON object per line.')
    }
    this.#limitFrame()
  }

  /** A frame that has begun must end; a connection without one may wait for ever. */
  #limitFrame(): void {
    if (this.#isClosed || this.#isEnding) return
    if (this.#frames.isInside) {
      this.#cancelTimer ??= this.#world.clock.timer(this.#world.limits.frameMs, () => {
        this.refuse('SYSG_CONTROL_FRAME_TIMEOUT', 'A request did not arrive whole in time.', 'End it with a newline.')
      })
      return
    }
    this.#cancelPending()
  }

  #onFrame(text: string): void {
    if (this.#isEnding) return
    // The next frame has its own time.
    this.#cancelPending()
    const incoming = parseMessage(text)
    if (incoming.kind === 'invalid') {
      this.#mistakes += 1
      this.#reply(failure(incoming.id, incoming.error))
      if (this.#mistakes < this.#world.limits.mistakes) return
      this.#world.onRefused('SYSG_CONTROL_REQUEST_INVALID')
      this.#closeSoon()
      return
    }
    this.#mistakes = 0
    if (incoming.kind === 'notification') this.#onNotification(incoming)
    else this.#onRequest(incoming.request)
  }

  /** `cancel { id }` ends a request of this connection. Others are none of ours and have no reply. */
  #onNotification({ method, params }: { method: string; params: unknown }): void {
    if (method !== 'cancel' || typeof params !== 'object' || params === null || !('id' in params)) return
    const { id } = params
    if (typeof id !== 'string' && typeof id !== 'number') return
    this.#running.get(id)?.abort(cancelled())
  }

  #onRequest(request: RpcRequest): void {
    const method = this.#world.method(request.method)
    const refused = this.#refusalOf(request)
    if (method === undefined || refused !== undefined) {
      this.#reply(failure(request.id, refused ?? methodNotFound(request.method)))
      return
    }
    const work = this.#run(request, method).finally(() => this.#settled.delete(work))
    this.#settled.add(work)
  }

  #refusalOf({ id }: RpcRequest): RpcError | undefined {
    const { requests } = this.#world.limits
    if (this.#running.has(id)) return idTaken(id)
    if (this.#running.size < requests) return undefined
    const text = `More than ${requests} requests run on this connection.`
    return refusal('SYSG_CONTROL_BUSY', text, 'Wait for an answer, or open another connection.')
  }

  async #run({ id, params }: RpcRequest, method: ControlMethod): Promise<void> {
    const controller = new AbortController()
    const { signal } = controller
    this.#running.set(id, controller)
    const notify = (name: string, value: unknown): Promise<void> => {
      // While the session ends, what runs may still say what it knows.
      if (this.#isClosed || (signal.aborted && !this.#isEnding)) return there
      if (this.#outgoing.waitingLength > this.#world.limits.waitingLength) controller.abort(tooSlow())
      else this.#send(frame(notification(id, name, value)))
      return this.#outgoing.hasRoom ? there : orAborted(this.#outgoing.room(), signal)
    }
    const reply = await answer(id, signal, () => method(params, { signal, notify }))
    this.#running.delete(id)
    this.#send(reply)
  }

  #reply(message: unknown): void {
    this.#send(frame(message))
  }

  /** A client that asks and asks but does not read loses its connection. */
  #send(text: string): void {
    if (this.#isClosed) return
    if (this.#outgoing.waitingLength <= 2 * this.#world.limits.waitingLength) {
      this.#outgoing.push(text)
      return
    }
    this.#world.onRefused('SYSG_CONTROL_SLOW_READER')
    this.close()
  }

  #closeSoon(): void {
    if (this.#isEnding || this.#isClosed) return
    this.#isEnding = true
    this.#cancelPending()
    this.#cancelTimer = this.#world.clock.timer(this.#world.limits.goodbyeMs, () => this.close())
    void this.#outgoing.flushed().then(() => this.close())
  }

  #cancelPending(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  #onClose(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#cancelPending()
    this.#outgoing.close()
    for (const controller of this.#running.values()) controller.abort(disconnected())
    this.#running.clear()
    this.#world.onEnd(this)
  }
}

/** What to reply. A method that ends because it was told to has no answer, unless it gives one all the same. */
const answer = async (id: RequestId, signal: AbortSignal, method: () => unknown): Promise<string> => {
  try {
    const value = await method()
    if (value === undefined && signal.aborted) return frame(failure(id, errorOf(signal.reason)))
    return frame(result(id, value))
  } catch (thrown) {
    return frame(failure(id, errorOf(signal.aborted ? signal.reason : thrown)))
  }
}

const there = Promise.resolve()

/** Resolves with the promise, or when the signal aborts meanwhile. */
const orAborted = (promise: Promise<void>, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      signal.removeEventListener('abort', done)
      resolve()
    }
    void promise.then(done)
    signal.addEventListener('abort', done)
  })

const cancelled = (): SysgError =>
  SysgError.of('SYSG_CONTROL_CANCELLED', { message: 'The request was cancelled by its client.' })

const disconnected = (): SysgError =>
  SysgError.of('SYSG_CONTROL_DISCONNECTED', { message: 'The client has closed its connection.' })

const tooSlow = (): SysgError =>
  SysgError.of('SYSG_CONTROL_SLOW_READER', {
    message: 'The subscription was ended: its reader is too slow, and what waits for it must not fill the memory.',
    hint: 'Read faster, or ask again with `after` or `since` for what was missed.',
  })

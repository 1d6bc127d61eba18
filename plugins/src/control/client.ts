/**
 * The client's side of the control protocol, over any connection.
 *
 * Client commands must start fast, so this file loads neither the core nor zod: from the core it has types alone.
 */
import type { Clock, Connection } from '@systemg/core'
import { frame, FrameReader } from './framing.ts'

/** What a supervisor answered instead of a result, or why no answer came. */
export class ControlError extends Error {
  override readonly name = 'ControlError'
  /** Stable: `SYSG_…`. */
  readonly code: string
  readonly hint: string | undefined
  /** The JSON-RPC code; `undefined` when the answer never came. */
  readonly rpcCode: number | undefined

  constructor(code: string, message: string, hint?: string, rpcCode?: number) {
    super(message)
    this.code = code
    this.hint = hint
    this.rpcCode = rpcCode
  }
}

export interface CallOptions {
  /** Hears what the supervisor tells while the request runs. `id` is the request's and can be ignored. */
  readonly onNotify?: (method: string, params: Readonly<Record<string, unknown>>) => void
  /** Cancels the request. */
  readonly signal?: AbortSignal
  /** Ends the call when the supervisor says nothing (no answer, no notification) for so long. Default: never. */
  readonly timeoutMs?: number
}

export interface RpcClient {
  /**
   * Resolves with the result.
   *
   * @throws {ControlError} the supervisor's, `SYSG_CONTROL_TIMEOUT`, or `SYSG_CONTROL_LOST` when the connection ends.
   * @throws the signal's reason when aborted.
   */
  call(method: string, params?: unknown, options?: CallOptions): Promise<unknown>
  close(): void
  /** Resolves when the connection has ended. */
  readonly closed: Promise<void>
}

/** Answers may hold many log lines; longer ones are a mistake. Bytes. */
const longestReply = 64 * 1024 * 1024

/** @param clock - Keeps time limits: `host.clock`, or `{ timer }` made of `setTimeout`. */
export const rpcClient = (connection: Connection, clock: Pick<Clock, 'timer'>): RpcClient => {
  const frames = new FrameReader(longestReply)
  const pending = new Map<number, Pending>()
  const { promise: closed, resolve: onClosed } = Promise.withResolvers<void>()
  let lastId = 0
  let lost: ControlError | undefined

  const lose = (error: ControlError) => {
    lost ??= error
    for (const { reject } of [...pending.values()]) reject(lost)
    onClosed()
  }
  connection.onClose(() => lose(connectionLost()))
  connection.onData((chunk) => {
    try {
      for (const text of frames.push(chunk)) receive(JSON.parse(text) as Reply, pending, lose)
    } catch (thrown) {
      lose(
        new ControlError('SYSG_CONTROL_PROTOCOL', `The supervisor answered nonsense: ${String(thrown)}.`, otherProgram),
      )
      connection.close()
    }
  })
  const send = (message: object) => {
    connection
      .write(new TextEncoder().encode(frame({ jsonrpc: '2.0', ...message })))
      .catch(() => lose(connectionLost()))
  }

  return {
    closed,
    close: () => connection.close(),
    async call(method, params, { onNotify, signal, timeoutMs } = {}) {
      signal?.throwIfAborted()
      if (lost !== undefined) throw lost
      const id = ++lastId
      const { promise, resolve, reject } = Promise.withResolvers<unknown>()
      const give = (error: Error) => {
        send({ method: 'cancel', params: { id } })
        reject(error)
      }
      const stopWaiting = watch(clock, timeoutMs, () => give(noAnswer(method, timeoutMs ?? 0)))
      const onAbort = () => give(signal?.reason as Error)
      signal?.addEventListener('abort', onAbort, { once: true })
      pending.set(id, { resolve, reject, onNotify, heard: stopWaiting.again })
      send({ id, method, params: params ?? {} })
      try {
        return await promise
      } finally {
        pending.delete(id)
        stopWaiting.cancel()
        signal?.removeEventListener('abort', onAbort)
      }
    },
  }
}

interface Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
  readonly onNotify: CallOptions['onNotify']
  /** The supervisor is there. */
  readonly heard: () => void
}

interface Reply {
  readonly id?: unknown
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: unknown
  readonly error?: {
    readonly code: number
    readonly message: string
    readonly data?: { code?: string; hint?: string | null }
  }
}

const receive = (reply: Reply, pending: ReadonlyMap<number, Pending>, lose: (error: ControlError) => void): void => {
  const id = reply.method === undefined ? reply.id : reply.params?.['id']
  const waiting = pending.get(Number(id))
  if (reply.method !== undefined) {
    waiting?.heard()
    waiting?.onNotify?.(reply.method, reply.params ?? {})
  } else if (reply.error !== undefined) {
    const { code, message, data } = reply.error
    const error = new ControlError(data?.code ?? 'SYSG_CONTROL_ERROR', message, data?.hint ?? undefined, code)
    // Without an id it is about the connection: full, or closing.
    if (id === null) lose(error)
    else waiting?.reject(error)
  } else waiting?.resolve(reply.result)
}

/** Fires `onSilence` when `again` has not been called for `limitMs`. */
const watch = (clock: Pick<Clock, 'timer'>, limitMs: number | undefined, onSilence: () => void) => {
  const start = () => (limitMs === undefined ? undefined : clock.timer(limitMs, onSilence))
  let cancel = start()
  return {
    again: () => {
      cancel?.()
      cancel = start()
    },
    cancel: () => cancel?.(),
  }
}

const otherProgram = 'Another program, or another version of systemg, may be behind this socket.'

const connectionLost = (): ControlError =>
  new ControlError(
    'SYSG_CONTROL_LOST',
    'The supervisor closed the connection before it answered.',
    '`sysg status` shows whether it still runs.',
  )

const noAnswer = (method: string, limitMs: number): ControlError =>
  new ControlError(
    'SYSG_CONTROL_TIMEOUT',
    `The supervisor did not answer \`${method}\` within ${limitMs} ms.`,
    'It may be busy or frozen; look at its process, and try again.',
  )

/** Connections that are made and taken, and requests over HTTP. */
import { isOfClass } from '../error-class.ts'
import type { TreeRef } from './processes.ts'

/** One end of a stream connection. */
export interface Connection {
  /** Send bytes; resolves when the other side has room for more. */
  write(data: Uint8Array): Promise<void>
  onData(listener: (chunk: Uint8Array) => void): void
  /** Called once, however the connection ended. */
  onClose(listener: () => void): void
  close(): void
}

/** Where somebody listens. */
export type PeerAddress = { readonly host: string; readonly port: number } | { readonly path: string }

/** How a connection is made. */
export interface ConnectOptions {
  /** Gives up, and closes what was opened. */
  readonly signal: AbortSignal
  /** Only a process of this tree may have the other end: waits until somebody has accepted, and looks who it is. */
  readonly answeredBy?: TreeRef | undefined
}

/** One HTTP request, over a connection of its own. Never through a proxy, never redirected. */
export interface HttpRequest extends ConnectOptions {
  /** `http://…`, `https://…`, or `http+unix://%2Fpath%2Fto.sock/…` for a unix socket. */
  readonly url: string
  /** Default `GET`. */
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** At most so many bytes of the answer's body are read (the first ones). Default 64 KiB. */
  readonly keepBytes?: number
}

export interface HttpResponse {
  readonly status: number
  /** Names in lower case; several values of one name are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** There was more than `keepBytes`. */
  readonly isCut: boolean
}

/** A connection was made, and closed unused: `answeredBy` does not have its other end, or that can't be known. */
export class NotAnsweredBy extends Error {
  static override [Symbol.hasInstance] = isOfClass('NotAnsweredBy')
  override readonly name = 'NotAnsweredBy'
  /** `other`: another process has it. `unattributable`: it can't be known; the message says why. */
  readonly why: 'other' | 'unattributable'
  /** The process that has it, where that is known. */
  readonly pid: number | undefined
  constructor(why: 'other' | 'unattributable', message: string, pid?: number) {
    super(message)
    this.why = why
    this.pid = pid
  }
}

export interface Net {
  /** Connect. Rejects with `HostError` (`ECONNREFUSED`, `ENOTFOUND`, …), `NotAnsweredBy`, or the signal's reason. */
  connect(to: PeerAddress, options: ConnectOptions): Promise<Connection>
  /** Accept connections on a unix socket (0600). Resolves when it listens; returns how to stop. */
  serve(path: string, accept: (connection: Connection) => void): Promise<{ close(): Promise<void> }>
}

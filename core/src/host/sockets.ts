/** Sockets that services inherit. */
import type { Descriptor } from './descriptor.ts'

/** How a listening socket is made. */
export interface ListenOptions {
  /** Connections that wait until somebody accepts them; the kernel has a limit of its own. Default 4096. */
  readonly backlog?: number
  /** Permission bits of a unix socket. Default: what the umask of the supervisor leaves. */
  readonly mode?: number
  /** What the one who started the supervisor calls the socket, if it passed one on. */
  readonly name?: string
}

/** Listening sockets that the supervisor holds but never accepts on. */
export interface Sockets {
  /**
   * Bind and listen on `tcp://host:port` (a numeric host, IPv6 in brackets) or `unix:///path`. What this supervisor has
   * open there already, or what was left or passed to it, is taken up instead, with this backlog and mode.
   *
   * @throws {HostError} `EADDRINUSE` (with the `pids` that have it, as far as they can be found), `EACCES`, `EADDRNOTAVAIL`, …
   */
  listen(address: string, options: ListenOptions): Promise<Descriptor>
  /** Addresses that the supervisor before this one had open and that are open still: for `listen` to take up, or to be closed. */
  inherited(): readonly string[]
  /** Resolves when every socket closed until now is free again for others. */
  settled(): Promise<void>
}

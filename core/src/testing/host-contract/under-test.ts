/** What somebody who tests a host of theirs provides. */
import type { Connection, Host } from '../../host.ts'

export type Argv = readonly [string, ...string[]]

/**
 * Programs both worlds can run. Those that stay write the line `ready` to stdout once they do what their name says,
 * and nothing before; they end by the default action of signals unless told otherwise. Each is a single
 * process unless told otherwise.
 */
export interface StandardPrograms {
  /** Writes `ready` and stays. */
  sleeps(): Argv
  /** Ends with this code after so many milliseconds. */
  exits(code: number, afterMs: number): Argv
  /** Writes `ready` and stays, whatever SIGTERM says. */
  ignoresSigterm(): Argv
  /** Writes exactly this text to one stream, then ends with 0. */
  prints(text: string, stream: 'stdout' | 'stderr'): Argv
  /** Writes `ready` and stays, as does its child, which takes no notice of SIGTERM. */
  forks(): Argv
  /**
   * Stays, and has a grandchild that stays in a session of its own, as a child of process 1, and ignores SIGTERM. The
   * grandchild keeps the environment, and writes `ready` when the process between them has ended.
   */
  forksEscaped(): Argv
  /**
   * Answers requests on this port of 127.0.0.1, from the line `ready` on. `x-asked` of the answer holds method and
   * path of the request, `x-got` its body.
   */
  answers(port: number, status: number, body: string): Argv
  /** Accepts connections on this port of 127.0.0.1, from the line `ready` on, and never answers. */
  neverAnswers(port: number): Argv
  /** Listens on this port of 127.0.0.1, from the line `ready` on, and never accepts. */
  neverAccepts(port: number): Argv
  /** Writes its environment to stdout, a line `NAME=value` each, then ends with 0. */
  printsEnv(): Argv
  /** Listens on this TCP port of the loopback address, then writes `ready` and stays. */
  listens(port: number): Argv
}

/** One host, fresh for one test. */
export interface HostUnderTest {
  readonly host: Host
  /** An empty folder for the test; short enough for unix sockets below it. */
  readonly folder: string
  readonly programs: StandardPrograms
  /** A port of 127.0.0.1 that nobody has. */
  freePort(): Promise<number>
  /** Let at least so much time pass, ms. */
  pass(ms: number): Promise<void>
  /** Let time pass until the condition holds. Rejects when it does not in a time that is long for a test. */
  until(condition: () => boolean | Promise<boolean>): Promise<void>
  /** Connect, as a client, to what the host serves. */
  connect(path: string): Promise<Connection>
  /**
   * The host of the next supervisor, after the one before has died without cleaning up: same machine, same store,
   * same processes. The earlier host is not used any more.
   */
  reopen(): Promise<Host>
  /** Release everything. Processes have been ended before, unless the host failed at that. */
  dispose(): Promise<void>
}

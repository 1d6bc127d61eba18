/** How `sysg start` was asked to go about it. */
import type { AdHocCommand } from '../ad-hoc/asked.ts'

export interface StartOptions {
  readonly services: readonly string[] | undefined
  /** A program to start as a service that is in no config. */
  readonly command: AdHocCommand | undefined
  /** What the names of services would be as a program, where there is no config. */
  readonly orCommand: AdHocCommand | undefined
  readonly daemonize: boolean
  readonly wait: boolean
  readonly timeoutMs: number | undefined
  readonly withDeps: boolean
  readonly onlyStderr: boolean
}

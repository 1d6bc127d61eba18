/** Starts a program as a service that is in no config, under the name it was given or one that is free. */
import { nameFor } from '../ad-hoc/name.ts'
import type { AdHocCommand } from '../ad-hoc/asked.ts'
import type { Supervisor } from '../client/connect.ts'
import type { CommandContext } from '../command.ts'
import { adHocService } from '../config/no-config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { isCoded } from '../failures.ts'
import { namesOf } from '../terminal/follow-logs.ts'
import type { ValidConfig } from './load-or-report.ts'
import { operate } from './operate.ts'

export interface AdHocStart {
  readonly command: AdHocCommand
  readonly loaded: ValidConfig
  readonly wait: boolean
  readonly timeoutMs: number | undefined
  /** Its output is shown in this terminal: that says enough. */
  readonly isShown?: boolean
}

/** @returns how it went, and the name. */
export const startAdHoc = async (
  context: CommandContext,
  supervisor: Supervisor,
  { command, loaded, wait, timeoutMs, isShown = false }: AdHocStart,
): Promise<{ code: ExitCode; services: readonly [string] }> => {
  const { name: given, argv } = command
  const taken = new Set(Object.keys(loaded.system.services))
  if (given === undefined) for (const name of await namesOf(supervisor)) taken.add(name)
  for (;;) {
    const name = given ?? nameFor(argv[0], (candidate) => taken.has(candidate))
    const service = await adHocService(loaded, { name, argv, cwd: context.cwd })
    const mayTryAgain = (thrown: unknown) => given === undefined && isTaken(thrown)
    try {
      const code = await operate(context, supervisor, {
        ...{ verb: 'start', method: 'start_ad_hoc', params: { service, new: given === undefined } },
        ...{ wait, timeoutMs, keepsOpen: (thrown) => isShown || mayTryAgain(thrown) },
      })
      const isWorthSaying = given === undefined && !isShown && !context.globals.json && code === exitCodes.done
      if (isWorthSaying)
        context.terminal.err(
          `\`${name}\` was started. \`sysg logs ${name}\` shows its output, \`sysg stop -s ${name}\` ends it.\n`,
        )
      return { code, services: [name] }
    } catch (thrown) {
      if (!mayTryAgain(thrown)) throw thrown
      // Somebody else has just taken it.
      taken.add(name)
    }
  }
}

const isTaken = (thrown: unknown): boolean => isCoded(thrown) && thrown.code === 'SYSG_NAME_TAKEN'

/** Loads the config for an operation, and reports every mistake in it. */
import type { ResolvedSystem } from '@systemg/core'
import type { CommandContext } from '../command.ts'
import { loadConfig, type LoadedConfig } from '../config/load-config.ts'
import { reportProblems, shownPath } from '../config/report-problems.ts'
import { Failure } from '../failures.ts'
import { firstPartyPlugins } from '../first-party.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import { changedCode } from '../supervisor/code-record.ts'
import { printWarning } from '../terminal/print-error.ts'

/** A config without mistakes; without a file where there is none. */
export type ValidConfig = Pick<LoadedConfig, 'plugins' | 'code'> & {
  readonly file: string | undefined
  readonly system: ResolvedSystem
}

/** @returns `undefined` when the config has mistakes; they have been reported, and nothing has been changed. */
export const loadOrReport = async (
  context: CommandContext,
): Promise<(LoadedConfig & ValidConfig & { readonly file: string }) | undefined> => {
  const { cwd, env, globals, terminal } = context
  const loaded = await loadConfig({
    cwd,
    env,
    config: globals.config,
    sys: globals.sys,
    firstParty: firstPartyPlugins(),
  })
  for (const warning of loaded.warnings) printWarning(terminal, warning)
  const { system } = loaded
  if (loaded.problems.length > 0) reportProblems(context, loaded)
  if (system === undefined) return undefined
  requireProject(globals.project, system.project.id, shownPath(cwd, loaded.file))
  return { ...loaded, system }
}

/** A config has a project of its own: what `--project` asks for would be passed over in silence. */
const requireProject = (asked: string | undefined, id: string, file: string): void => {
  if (asked === undefined || asked === id) return
  const message = `${file} is of the project \`${id}\`, not of \`${asked}\`. Leave \`--project\` out, or work in a folder without a config.`
  throw new Failure('SYSG_USAGE', { message })
}

/** A running supervisor takes up data, not code: say so when code has changed. */
export const warnOfChangedCode = (context: CommandContext, loaded: ValidConfig, paths: ProjectPaths): void => {
  const changed = changedCode(paths, loaded.code)
  if (changed.length === 0) return
  const files = changed.map((file) => shownPath(context.cwd, file)).join(', ')
  printWarning(
    context.terminal,
    `${files} changed. What it says of services is taken up; code of plugins is not, until \`sysg restart\`, or, where that says so too, until \`sysg stop\` and \`sysg start\`.`,
  )
}

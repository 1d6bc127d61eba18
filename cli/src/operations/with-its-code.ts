/** An edited plugin takes effect with `sysg restart`: modules are loaded once, so another process takes over. */
import type { Supervisor } from '../client/connect.ts'
import type { CommandContext } from '../command.ts'
import { isCoded } from '../failures.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import { changedCode } from '../supervisor/code-record.ts'
import { handOver } from './hand-over.ts'
import { warnOfChangedCode, type ValidConfig } from './load-or-report.ts'

/**
 * A supervisor that runs the code of the config as it is now: the one that runs, or its successor. The config has been
 * loaded by this process, so its code is known to load. One in a terminal stays; then the command says what is missing.
 */
export const withItsCode = async (
  context: CommandContext,
  running: Supervisor,
  loaded: ValidConfig,
  paths: ProjectPaths,
  timeoutMs: number | undefined,
): Promise<Supervisor> => {
  if (changedCode(paths, loaded.code).length === 0) return running
  try {
    return await handOver(running, paths, timeoutMs, loaded.file)
  } catch (thrown) {
    if (!isCoded(thrown) || thrown.code !== 'SYSG_UPGRADE_FOREGROUND') throw thrown
    warnOfChangedCode(context, loaded, paths)
    const { connect } = await import('../client/connect.ts')
    return connect(paths)
  }
}

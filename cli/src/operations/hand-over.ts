/** One supervisor takes the place of another; services go on as they are. For another version, and for edited code. */
import { fs } from '../builtin.ts'
import type { Supervisor } from '../client/connect.ts'
import { untilGone } from '../client/until-gone.ts'
import { Failure, isCoded } from '../failures.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import { lastWords, supervisorCommand } from '../supervisor/daemon.ts'
import { waitForSuccessor } from '../supervisor/wake.ts'
import { version } from '../version.ts'

/**
 * @param pluginsOf - The config whose plugins it loads. Default: the one that the supervisor was started with.
 * @returns The successor: this version, with the code of the config as it is now. `before` is closed.
 * @throws {Failure} `SYSG_SUPERVISOR_DIED`, `SYSG_UPGRADE_FAILED`, `SYSG_TIMEOUT`, or what the supervisor refuses with.
 */
export const handOver = async (
  before: Supervisor,
  paths: ProjectPaths,
  timeoutMs: number | undefined,
  pluginsOf?: string,
): Promise<Supervisor> => {
  const command = supervisorCommand()
  const said = sizeOf(paths.boot)
  await ask(before, command, timeoutMs, pluginsOf)
  await Promise.race([before.closed, untilGone(before.pid)])
  const isGone = await untilGone(before.pid)
  before.close()
  // One that cannot start what hands over, for want of room on the disk for example, goes on itself.
  if (!isGone) throw failed(before, lastWords(paths.boot, said))
  // First this version, then the one before.
  const after = await waitForSuccessor(paths, (timeoutMs ?? limitMs) + limitMs)
  const words = lastWords(paths.boot, said)
  if (after === undefined) throw new Failure('SYSG_SUPERVISOR_DIED', { log: paths.boot, words })
  if (after.version === version && isCommandOf(command, after.pid)) return after
  after.close()
  throw failed(after, words)
}

/** @param running - The supervisor that goes on. */
const failed = (running: Supervisor, words: string): Failure =>
  new Failure('SYSG_UPGRADE_FAILED', { to: version, pid: running.pid, version: running.version, words })

/** Rejects when it refuses, or does not answer in time. */
const ask = async (
  supervisor: Supervisor,
  command: readonly string[],
  timeoutMs: number | undefined,
  pluginsOf: string | undefined,
): Promise<void> => {
  // A config of code may need another one than a config of data.
  const commands = { data: command, code: command }
  const how = timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(timeoutMs) }
  const params = {
    commands,
    limit_ms: timeoutMs ?? limitMs,
    ...(pluginsOf === undefined ? {} : { plugins_of: pluginsOf }),
  }
  await supervisor.call('upgrade', params, how).catch((thrown: unknown) => {
    // It ends as soon as it has answered.
    if (isCoded(thrown) && thrown.code === 'SYSG_CONTROL_LOST') return
    supervisor.close()
    if (thrown instanceof DOMException)
      throw new Failure('SYSG_TIMEOUT', { what: '`upgrade`', limitMs: timeoutMs ?? 0 })
    throw thrown
  })
}

/** How long a version may take until it can be spoken to, ms. */
const limitMs = 30_000

const isCommandOf = (argv: readonly string[], pid: number): boolean => {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8') === argv.map((word) => `${word}\0`).join('')
  } catch {
    return false
  }
}

const sizeOf = (path: string): number => {
  try {
    return fs.statSync(path).size
  } catch {
    return 0
  }
}

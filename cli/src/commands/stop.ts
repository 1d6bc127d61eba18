/** `sysg stop`: everything and the supervisor, or the named services alone. Stopping what is stopped is success. */
import { comingBack, silent, tryConnect, type Supervisor } from '../client/connect.ts'
import { serviceNames, type Command, type CommandContext } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { Failure, isCoded } from '../failures.ts'
import { untilGone } from '../client/until-gone.ts'
import { operate } from '../operations/operate.ts'
import { locate } from '../project/locate.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import { durationMs } from '../terminal/duration.ts'

export const command: Command = {
  description: 'Stop the system and its supervisor, or the named services alone',
  services: true,
  args: {
    timeout: {
      type: 'string',
      description: 'From the stop signal to SIGKILL, instead of `stop_timeout`',
      valueHint: '10s',
    },
    release: {
      type: 'boolean',
      description: 'With a service: also close its `sockets`, so that others may listen there',
    },
  },
  async run(context) {
    const services = serviceNames(context.typed)
    const { timeout } = context.typed.values
    if (context.typed.values['release'] === true && services.length === 0) {
      const message = '`--release` needs a service: a bare `sysg stop` closes every socket.'
      throw new Failure('SYSG_USAGE', { message, command: 'stop' })
    }
    const grace = typeof timeout === 'string' ? { grace_ms: durationMs(timeout, '--timeout') } : {}
    const { paths } = locate(context)
    for (let tries = 1; ; tries++) {
      const found = await findOrStop(context, paths, services)
      if ('code' in found) return found.code
      try {
        return services.length > 0
          ? await stopNamed(context, found.supervisor, services, grace)
          : await stopAll(context, found.supervisor, grace)
      } catch (thrown) {
        // It was killed meanwhile: one that comes back knows what was asked of it, and otherwise it is asked again.
        if (!isCoded(thrown) || thrown.code !== 'SYSG_CONTROL_LOST' || tries === mostTries) throw thrown
      }
    }
  },
}

/** Supervisors that may die under it. */
const mostTries = 5

type Grace = { readonly grace_ms?: number }

const stopNamed = async (
  context: CommandContext,
  supervisor: Supervisor,
  services: readonly string[],
  grace: Grace,
): Promise<ExitCode> => {
  const params = { services, ...grace }
  const code = await operate(context, supervisor, { verb: 'stop', method: 'stop', params, only: services })
  try {
    const isToRelease = context.typed.values['release'] === true && code === exitCodes.done
    if (isToRelease) await supervisor.call('sockets.release', { services })
  } finally {
    supervisor.close()
  }
  return code
}

const stopAll = async (context: CommandContext, supervisor: Supervisor, grace: Grace): Promise<ExitCode> => {
  const params = { why: 'sysg stop', ...grace }
  const code = await operate(context, supervisor, { verb: 'stop', method: 'shutdown', params })
  // The supervisor closes the connection when nothing of it is left.
  if (code === exitCodes.done) {
    await supervisor.closed
    await untilGone(supervisor.pid)
  }
  supervisor.close()
  return code
}

/** The supervisor, or how it went without one. @throws {Failure} `SYSG_SUPERVISOR_SILENT` when one has the project and never answers. */
const findOrStop = async (
  context: CommandContext,
  paths: ProjectPaths,
  services: readonly string[],
): Promise<{ readonly supervisor: Supervisor } | { readonly code: ExitCode }> => {
  for (const deadline = Date.now() + takenLimitMs; ;) {
    const supervisor = (await tryConnect(paths)) ?? (await comingBack(paths))
    if (supervisor !== undefined) return { supervisor }
    const { stopUnsupervised } = await import('../operations/stop-unsupervised.ts')
    const code = await stopUnsupervised(context, paths, services)
    if (code !== undefined) return { code }
    if (Date.now() > deadline) throw await silent(paths, takenLimitMs)
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs))
  }
}

/** How long one may take to come up or to go, ms. */
const takenLimitMs = 30_000
const lookEveryMs = 20

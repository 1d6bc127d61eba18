/** `sysg restart`: load the config again and replace what runs by its strategy; or replace the named services alone. */
import { comingBack, connect, tryConnect } from '../client/connect.ts'
import { serviceNames, type Command } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { Failure } from '../failures.ts'
import { operate } from '../operations/operate.ts'
import { locate } from '../project/locate.ts'
import { projectPaths, stateRoot } from '../project/state-root.ts'
import { durationMs } from '../terminal/duration.ts'

export const command: Command = {
  description: 'Load the config again and replace everything that runs, or replace the named services',
  services: true,
  args: {
    daemonize: { type: 'boolean', alias: 'd', description: 'Start a supervisor in the background when none runs' },
    timeout: { type: 'string', description: 'Wait no longer than this', valueHint: '60s' },
  },
  async run(context) {
    const services = serviceNames(context.typed)
    const { timeout } = context.typed.values
    const timeoutMs = typeof timeout === 'string' ? durationMs(timeout, '--timeout') : undefined
    if (services.length > 0) {
      const { paths } = locate(context)
      const supervisor = await connect(paths)
      const code = await operate(context, supervisor, {
        verb: 'restart',
        method: 'restart',
        params: { services },
        only: services,
        timeoutMs,
      })
      supervisor.close()
      return code
    }
    const { loadOrReport } = await import('../operations/load-or-report.ts')
    const loaded = await loadOrReport(context)
    if (loaded === undefined) return exitCodes.invalidConfig
    const paths = projectPaths(stateRoot(context.env, context.globals.sys), loaded.system.project.id)
    const running = (await tryConnect(paths)) ?? (await comingBack(paths))
    if (running === undefined) {
      if (context.typed.values['daemonize'] !== true)
        throw new Failure('SYSG_NO_SUPERVISOR', { project: `\`${paths.id}\`` })
      const { startSystem } = await import('../operations/start-system.ts')
      const options = {
        services: undefined,
        command: undefined,
        orCommand: undefined,
        daemonize: true,
        wait: true,
        withDeps: false,
        onlyStderr: false,
        timeoutMs,
      }
      return startSystem(context, options)
    }
    const { withItsCode } = await import('../operations/with-its-code.ts')
    const supervisor = await withItsCode(context, running, loaded, paths, timeoutMs)
    const params = { config: loaded.system, all: true }
    const code = await operate(context, supervisor, { verb: 'restart', method: 'apply', params, timeoutMs })
    supervisor.close()
    return code
  },
}

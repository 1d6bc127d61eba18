/** `sysg stop`: everything and the supervisor, or the named services alone. Stopping what is stopped is success. */
import { comingBack, tryConnect } from '../client/connect.ts'
import { serviceNames, type Command } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { untilGone } from '../client/until-gone.ts'
import { Failure } from '../failures.ts'
import { operate } from '../operations/operate.ts'
import { locate } from '../project/locate.ts'
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
    const supervisor = (await tryConnect(paths)) ?? (await comingBack(paths))
    if (supervisor === undefined) {
      const { stopUnsupervised } = await import('../operations/stop-unsupervised.ts')
      return stopUnsupervised(context, paths, services)
    }
    if (services.length > 0) {
      const code = await operate(context, supervisor, { verb: 'stop', method: 'stop', params: { services, ...grace } })
      try {
        const isToRelease = context.typed.values['release'] === true && code === exitCodes.done
        if (isToRelease) await supervisor.call('sockets.release', { services })
      } finally {
        supervisor.close()
      }
      return code
    }
    const code = await operate(context, supervisor, {
      verb: 'stop',
      method: 'shutdown',
      params: { why: 'sysg stop', ...grace },
    })
    // The supervisor closes the connection when nothing of it is left.
    if (code === exitCodes.done) {
      await supervisor.closed
      await untilGone(supervisor.pid)
    }
    supervisor.close()
    return code
  },
}

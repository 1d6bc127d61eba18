/** `sysg start`: bring the system up, in this terminal or in the background; on a running system, apply what changed. */
import { serviceNames, type Command, type CommandContext } from '../command.ts'
import { Failure } from '../failures.ts'
import { durationMs } from '../terminal/duration.ts'

export const command: Command = {
  description: 'Start the system, or the named services and what they need',
  services: true,
  args: {
    daemonize: {
      type: 'boolean',
      alias: 'd',
      description: 'Run in the background; return when everything is ready or something failed',
    },
    wait: {
      type: 'boolean',
      default: true,
      description: 'Wait until everything is ready',
      negativeDescription: 'Return at once',
    },
    timeout: { type: 'string', description: 'Wait no longer than this', valueHint: '60s' },
    'with-deps': { type: 'boolean', description: 'Also start dependencies that you had stopped' },
    stderr: { type: 'boolean', description: 'In the foreground, show only what services write to stderr' },
  },
  async run(context) {
    if (context.typed.rest !== undefined) {
      throw new Failure('SYSG_USAGE', {
        message: 'An ad-hoc service (`sysg start -- command`) is not there yet.',
        command: 'start',
      })
    }
    const { startSystem } = await import('../operations/start-system.ts')
    return startSystem(context, optionsOf(context))
  },
}

/** How `sysg start` was asked to go about it. */
export interface StartOptions {
  readonly services: readonly string[] | undefined
  readonly daemonize: boolean
  readonly wait: boolean
  readonly timeoutMs: number | undefined
  readonly withDeps: boolean
  readonly onlyStderr: boolean
}

const optionsOf = ({ typed }: CommandContext): StartOptions => {
  const services = serviceNames(typed)
  const { values } = typed
  return {
    services: services.length > 0 ? services : undefined,
    daemonize: values['daemonize'] === true,
    wait: values['wait'] !== false,
    timeoutMs: typeof values['timeout'] === 'string' ? durationMs(values['timeout'], '--timeout') : undefined,
    withDeps: values['with-deps'] === true,
    onlyStderr: values['stderr'] === true,
  }
}

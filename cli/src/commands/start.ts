/** `sysg start`: bring the system up, in this terminal or in the background; on a running system, apply what changed. */
import { askedOf } from '../ad-hoc/asked.ts'
import type { Command, CommandContext } from '../command.ts'
import type { StartOptions } from '../operations/start-options.ts'
import { durationMs } from '../terminal/duration.ts'

export const command: Command = {
  description:
    'Start the system, or the named services and what they need. With --name, or behind --, a program as a service that is in no config',
  services: true,
  positionals: '[service…] | [--name n] [--] [program…]',
  args: {
    daemonize: {
      type: 'boolean',
      alias: 'd',
      description: 'Run in the background; return when everything is ready or something failed',
    },
    name: {
      type: 'string',
      description: 'Start a program as an ad-hoc service of this name; options of the program need `--` before it',
      valueHint: 'name',
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
    const options = optionsOf(context)
    const { startSystem } = await import('../operations/start-system.ts')
    return startSystem(context, options)
  },
}

const optionsOf = ({ typed }: CommandContext): StartOptions => {
  const { values } = typed
  return {
    ...askedOf(typed),
    daemonize: values['daemonize'] === true,
    wait: values['wait'] !== false,
    timeoutMs: typeof values['timeout'] === 'string' ? durationMs(values['timeout'], '--timeout') : undefined,
    withDeps: values['with-deps'] === true,
    onlyStderr: values['stderr'] === true,
  }
}

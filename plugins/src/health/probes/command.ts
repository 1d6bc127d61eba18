/** `command`: a command that must exit 0, with the environment and in the folder of the service. */
import { argvOf, describeExit, withLastLine, type Host, type Probe } from '@systemg/core'

/** Of what it writes only the last line is of interest. */
const keepBytes = 4 * 1024

export const commandProbe =
  (host: Pick<Host, 'run'>): Probe =>
  async ({ instance, options, signal }) => {
    const { env = {}, cwd = instance.service.working_dir } = instance.launch ?? {}
    const given = options as string | readonly string[]
    const argv = typeof given === 'string' ? argvOf({ command: given }) : argvOf({ exec: given })
    const { exit, output, failure } = await host.run({ argv, env, cwd, signal, keepBytes })
    if (failure !== undefined && !signal.aborted) throw new Error(`\`${argv[0]}\` can't be run: ${failure.message}`)
    const lines = output.split('\n')
    if (signal.aborted) throw new Error(withLastLine('timeout: the command was still running', lines))
    if (exit.code !== 0) throw new Error(withLastLine(describeExit(exit), lines))
  }

/** `sysg plan`: what `start`, or with `--restart` what `restart`, would change and why. Changes nothing. */
import type { PlannedChange } from '@systemg/core'
import { tryConnect } from '../client/connect.ts'
import type { Command } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { loadOrReport } from '../operations/load-or-report.ts'
import { projectPaths, stateRoot } from '../project/state-root.ts'
import type { Style, Terminal } from '../terminal/terminal.ts'

export const command: Command = {
  description: 'Show what a start (or, with --restart, a restart) would change, without doing it',
  args: { restart: { type: 'boolean', description: 'Show what `sysg restart` would do' } },
  async run(context) {
    const loaded = await loadOrReport(context)
    if (loaded === undefined) return exitCodes.invalidConfig
    const { system: config } = loaded
    const paths = projectPaths(stateRoot(context.env, context.globals.sys), config.project.id)
    const supervisor = await tryConnect(paths)
    const all = context.typed.values['restart'] === true
    const ask = async (): Promise<readonly PlannedChange[]> =>
      supervisor === undefined
        ? Object.keys(config.services).map((service): PlannedChange => ({
            service,
            action: 'start',
            because: ['nothing runs yet'],
          }))
        : ((await supervisor.call('plan', { config, all }, { timeoutMs: 10_000 })) as readonly PlannedChange[])
    const changes = await ask().finally(() => supervisor?.close())
    if (context.globals.json) context.terminal.out(`${JSON.stringify({ changes })}\n`)
    else print(context.terminal, changes)
    return exitCodes.done
  },
}

const styles: Readonly<Record<PlannedChange['action'], Style>> = {
  start: 'green',
  stop: 'red',
  restart: 'yellow',
  deploy: 'yellow',
  keep: 'dim',
}

const print = (terminal: Terminal, changes: readonly PlannedChange[]): void => {
  const width = Math.max(0, ...changes.map(({ service }) => service.length))
  for (const { service, action, because } of changes) {
    const why = because.length > 0 ? `  ${because.join(', ')}` : ''
    terminal.out(`${terminal.paint(styles[action], action.padEnd(7))}  ${service.padEnd(width)}${why}`.trimEnd() + '\n')
  }
  const moving = changes.filter(({ action }) => action !== 'keep').length
  const sum = `${moving} of ${changes.length} services would change.`
  terminal.out(moving === 0 ? 'Nothing would be started, stopped or replaced.\n' : `${sum}\n`)
}

/** Every command and the file that has it. A command is loaded when it is called. */
import type { PluginCommand } from '@systemg/core'
import type { Command } from '../command.ts'
import type { commandNames } from './names.ts'

/** Of a first-party plugin: made as any plugin makes one, and known without a config, so that it starts as fast as others. */
const ofPlugin = async (name: string, load: () => Promise<{ readonly command: PluginCommand }>) => {
  const [{ command }, { asCommand }] = await Promise.all([load(), import('../plugin-commands/as-command.ts')])
  return { command: asCommand({ name, plugin: name, command }) }
}

const ours: Readonly<Record<(typeof commandNames)[number], () => Promise<{ readonly command: Command }>>> = {
  start: () => import('./start.ts'),
  stop: () => import('./stop.ts'),
  restart: () => import('./restart.ts'),
  upgrade: () => import('./upgrade.ts'),
  scale: () => import('./scale.ts'),
  status: () => import('./status.ts'),
  inspect: () => import('./inspect.ts'),
  logs: () => import('./logs.ts'),
  events: () => import('./events.ts'),
  webhooks: () => ofPlugin('webhooks', () => import('@systemg/plugins/webhooks/command')),
  validate: () => import('./validate.ts'),
  plan: () => import('./plan.ts'),
  notify: () => import('./notify.ts'),
  spawn: () => import('./spawn.ts'),
  graph: () => import('./graph.ts'),
  init: () => import('./init.ts'),
  purge: () => import('./purge.ts'),
  plugins: () => import('./plugins.ts'),
  schema: () => import('./schema.ts'),
}

export const commands: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = ours

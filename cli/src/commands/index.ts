/** Every command and the file that has it. A command is loaded when it is called. */
import type { Command } from '../command.ts'

export const commands: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  start: () => import('./start.ts'),
  stop: () => import('./stop.ts'),
  restart: () => import('./restart.ts'),
  upgrade: () => import('./upgrade.ts'),
  scale: () => import('./scale.ts'),
  status: () => import('./status.ts'),
  inspect: () => import('./inspect.ts'),
  logs: () => import('./logs.ts'),
  events: () => import('./events.ts'),
  webhooks: () => import('./webhooks.ts'),
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

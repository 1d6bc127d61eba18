/** What is shown while services that were named are stopped or restarted. */
import type { ControlMethod, Outcome } from '@systemg/core'
import { expect, it } from 'vitest'
import { command as restart } from '../../../cli/src/commands/restart.ts'
import { command as stop } from '../../../cli/src/commands/stop.ts'
import { run, stateRoot } from './fake-supervisor.ts'

const fine: Outcome = { ok: true, problems: [], warnings: [] }

/** Meanwhile another service crashes. */
const telling: ControlMethod = async (_params, call) => {
  const time = new Date().toISOString()
  for (const [seq, [type, service]] of [
    ['service.stopping', 'api'],
    ['service.restarting', 'other'],
    ['service.stopped', 'api'],
  ].entries())
    await call.notify('event', { seq, time, project: 'shop', service, type, data: { reason: null } })
  return fine
}

it.each([
  ['stop', stop],
  ['restart', restart],
] as const)('`%s -s api` shows nothing of other services', async (name, command) => {
  await using home = stateRoot()
  await home.supervise({ [name]: telling })
  const { stderr } = await run(home.root, command, name, ['-s', 'api'], { interactive: true })
  expect(stderr).toContain('1 service: 1 stopped')
  expect(stderr).not.toContain('other')
})

import { join } from 'node:path'
import { definePlugin, type Outcome } from '@systemg/core'
import { expect, it } from 'vitest'
import { loadConfig } from '../../../cli/src/config/load-config.ts'
import { firstPartyPlugins } from '../../../cli/src/first-party.ts'
import { supervise } from '../../../cli/src/supervisor/supervise.ts'
import { tempFolder } from '../config/temp-folder.ts'

it('has everything wanted before it tells anybody who asked during the boot that all is settled', async () => {
  const folder = tempFolder({ 'systemg.yaml': 'services: { api: { command: sleep 1000 } }\n' })
  let settled: Promise<Outcome> | undefined
  const asksEarly = definePlugin({
    name: 'asks-early',
    setup({ hooks, system }) {
      hooks.boot.tap({ name: 'asks-early', stage: 200 }, (state) => {
        settled = system.settled()
        return state
      })
    },
  })
  const loaded = await loadConfig({ cwd: folder, env: process.env, config: undefined, firstParty: firstPartyPlugins() })
  if (loaded.system === undefined) throw new Error('the config is not valid')

  const { system, plugins, file } = loaded
  const running = await supervise({
    request: {
      ...{ root: join(folder, 'state'), cwd: folder, env: process.env },
      ...{ config: file, project: system.project, services: undefined, hasCode: false, logLevel: 'error' },
    },
    config: system,
    code: [],
    plugins: [...plugins, { plugin: asksEarly }],
    show: undefined,
    respawn: false,
    isComeback: false,
  })
  await settled
  const states = running?.system.view().map(({ state }) => state)
  await running?.stop('the test is over', true)
  await running?.ended

  expect(states).toEqual(['running'])
})

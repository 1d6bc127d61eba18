/** A service that stands in no config has the defaults of one that does. */
import { definePlugin, resolveConfig } from '@systemg/core'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { adHocService, noConfig } from '../../../cli/src/config/no-config.ts'
import { firstPartyPlugins } from '../../../cli/src/first-party.ts'

const project = { id: 'test', name: 'test' }

const systemOf = async (value: unknown) => {
  const readText = () => Promise.resolve(undefined)
  const input = { value, readText, file: '/srv/x.yaml', folder: '/srv', plugins: firstPartyPlugins(), env: {} }
  const { system } = await resolveConfig({ ...input, projectDefault: project })
  if (system === undefined) throw new Error('the config is wrong')
  return { system, plugins: firstPartyPlugins() }
}

it('is what a config with the same program makes, but for the folder', async () => {
  const loaded = await systemOf({
    stop_timeout: '3s',
    services: { worker: { exec: ['work', '--fast'], working_dir: '/home/me' } },
  })
  const service = await adHocService(loaded, { name: 'worker', argv: ['work', '--fast'], cwd: '/home/me' })
  expect(service).toEqual(loaded.system.services['worker'])
  expect(service).toMatchObject({ stop_timeout: 3_000, restart_policy: 'never' })
})

it('takes what was typed as it is', async () => {
  const loaded = await noConfig('/srv', project, firstPartyPlugins())
  const argv = ['echo', '${HOME}', '$$', '$HOME', '${', 'a b', '']
  const service = await adHocService(loaded, { name: 'echo', argv, cwd: '/srv/$x ${y}' })
  expect(service.argv).toEqual(argv)
  expect(service.working_dir).toBe('/srv/$x ${y}')
})

it('is refused when a plugin wants something that no command line says', async () => {
  const team = definePlugin({ name: 'team', service: { team: z.string() } })
  const loaded = await systemOf({ services: {} })
  const refused = adHocService(
    { ...loaded, plugins: [...loaded.plugins, { plugin: team }] },
    { name: 'x', argv: ['x'], cwd: '/' },
  )
  await expect(refused).rejects.toMatchObject({
    code: 'SYSG_USAGE',
    message: expect.stringContaining('team') as string,
  })
})

/** Blue-green deploys of a real server behind a real proxy, while people ask without a pause. `failed-deploys.test.ts` has those that fail. */
import { expect, it } from 'vitest'
import { Deployed, layouts, pidIn } from './layouts.ts'
import { listenOn } from '../ports.ts'
import { isAlive } from './sysg.ts'

it('replaces a server again and again, and no request fails', async () => {
  await using site = await Deployed.open(layouts.behindProxy, { says: 'v1' })
  for (const [index, version] of ['v2', 'v3', 'v4'].entries()) {
    const old = pidIn(await site.answer())
    site.configure({ says: version, deployment: { pre_start: 'echo building' } })
    expect(await site.deploy()).toEqual({ code: 0, stdout: '', stderr: '' })
    const [instance] = await site.instances()
    expect(await site.answer()).toBe(`200 ${version} by ${instance?.pid ?? 0}`)
    expect(isAlive(old)).toBe(false)
    const slot = site.place.slots[(index + 1) % 2] ?? 0
    expect(await site.instances()).toMatchObject([{ slot: String(slot), role: 'active' }])
  }
  expect(site.visitors.failures).toEqual([])
  expect(new Set(site.visitors.answers.map((answer) => answer.split(' ')[1]))).toEqual(
    new Set(['v1', 'v2', 'v3', 'v4']),
  )
  const { stdout } = await site.box.run('logs', 'api', '--no-prefix')
  expect(stdout.match(/building/g)).toHaveLength(3)
})

it('a candidate that does not start is removed, and its own words are shown', async () => {
  await using site = await Deployed.open(layouts.behindProxy, { says: 'good' })
  const old = await site.answer()
  site.configure({ says: 'bad', env: { NODE_OPTIONS: '--no-such' } })
  const { code, stderr } = await site.deploy()
  expect(code).toBe(1)
  expect(stderr).toMatch(/in step `ready`: exit code 9[^]*│ .*--no-such is not allowed/)
  expect(await site.answer()).toBe(old)
  expect(await site.processes()).toEqual([pidIn(old)])
  expect(site.visitors.failures).toEqual([])
})

it('says who has the port that the candidate wanted', async () => {
  await using site = await Deployed.open(layouts.behindProxy, { says: 'good' })
  const old = await site.answer()
  const port = site.place.slots[1] ?? 0
  const stranger = await listenOn(port)
  const failed = await site.box.run('restart', '-s', 'api')
  stranger.close()
  expect(failed.stderr).toMatch(
    new RegExp(`in step \`ready\`: exit code 1, \`port ${port} is held by pid ${process.pid} `),
  )
  expect(await site.answer()).toBe(old)
})

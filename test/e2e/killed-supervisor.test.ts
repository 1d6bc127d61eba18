/** A supervisor that is killed in the middle of a rolling deploy: whoever asks is answered, and the next one finds one instance. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Deployed, layouts, pidIn, type Layout, type Version } from './layouts.ts'
import { isAlive, until } from './sysg.ts'

interface Moment {
  readonly title: string
  readonly layouts: readonly Layout[]
  /** A version whose deploy stays where it is to be killed. */
  readonly version: Omit<Version, 'says'>
  /** It is there. */
  readonly isThere: (site: Deployed) => Promise<boolean>
  /** The new version has taken over. */
  readonly isNew: boolean
}

const isAnsweredByNew = async (site: Deployed): Promise<boolean> => (await site.answer()).includes('new')

const { behindProxy, oneSocket } = layouts

const moments: readonly Moment[] = [
  {
    title: 'while the candidate starts',
    layouts: [behindProxy, oneSocket],
    version: { behaves: 'never accepts' },
    isThere: async (site) => (await site.instances()).some(({ role, pid }) => role === 'candidate' && pid !== null),
    isNew: false,
  },
  {
    title: 'after users were led to the candidate',
    layouts: [behindProxy],
    version: { verify: 'sleep 1000', deployment: { grace_period: '500ms' } },
    isThere: isAnsweredByNew,
    isNew: false,
  },
  {
    title: 'in the grace period',
    layouts: [behindProxy, oneSocket],
    version: { deployment: { grace_period: '60s' } },
    isThere: async (site) => (await site.instances()).some(({ role }) => role === 'retired'),
    isNew: true,
  },
]

const kill = async (site: Deployed): Promise<void> => {
  const { supervisor } = await site.box.status()
  process.kill(supervisor.pid, 'SIGKILL')
  await until(
    () => isAlive(supervisor.pid),
    (alive) => !alive,
  )
}

/** Kill the supervisor at a moment of the deploy of `new`. Returns what answered before. */
const cutOff = async (site: Deployed, { version, isThere }: Moment): Promise<string> => {
  const before = await site.answer()
  site.configure({ says: 'new', ...version })
  const deploy = site.deploy()
  await until(() => isThere(site), Boolean)
  await kill(site)
  expect((await deploy).code).not.toBe(0)
  return before
}

describe.each(
  moments.flatMap((moment) => moment.layouts.map((layout) => ({ ...moment, layout, where: layout.title }))),
)('$where, $title', (moment) => {
  it('leaves one instance that serves everybody', async () => {
    await using site = await Deployed.open(moment.layout, { says: 'old' })
    const before = await cutOff(site, moment)
    const seen = site.visitors.answers.length
    await until(
      () => site.visitors.answers.length,
      (count) => count > seen + 20,
    )
    // Whoever starts it again takes back what failed, and keeps what had taken over.
    if (!moment.isNew) site.configure({ says: 'old' })
    expect(await site.box.run('start', '-d')).toMatchObject({ code: 0 })
    const [left] = await until(
      () => site.instances(),
      (instances) => instances.length === 1,
    )
    expect(left).toMatchObject({ role: 'active', state: 'running' })
    const answer = `200 ${moment.isNew ? 'new' : 'old'} by ${left?.pid ?? 0}`
    expect(await site.answer()).toBe(answer)
    if (!moment.isNew) expect(answer).toBe(before)
    expect(await site.processes()).toEqual([left?.pid])
    expect(site.visitors.failures).toEqual([])
    if (moment.layout.hasSlots) {
      const active = site.place.slots[moment.isNew ? 1 : 0]
      expect(left?.slot).toBe(String(active))
      expect(readFileSync(join(site.box.folder, 'target'), 'utf8').split(' ')[0]).toBe(String(active))
    }

    site.configure({ says: 'better' })
    const next = await site.deploy()
    if (moment.layout.hasSlots) expect(next).toMatchObject({ code: 0 })
    // Without a slot, a socket that no supervisor has any more can be handed on by nobody; then it says what to do.
    if (next.code === 0) expect(await site.answer()).toContain('better')
    else {
      expect(next.stderr).toContain('`sysg stop -s api` and `sysg start -s api` bind it anew')
      expect(await site.answer()).toBe(answer)
    }
    expect(site.visitors.failures).toEqual([])
  })
})

it('with the new version still in the config, the next supervisor deploys it as soon as its slot is free', async () => {
  await using site = await Deployed.open(behindProxy, { says: 'old' })
  const [, afterSwitch] = moments
  if (afterSwitch === undefined) throw new Error('no such moment')
  const before = await cutOff(site, afterSwitch)
  site.configure({ says: 'new' })
  expect(await site.box.run('start', '-d')).toMatchObject({ code: 0 })
  const answer = await site.answer()
  expect(answer).toContain('200 new by')
  expect(await site.processes()).toEqual([pidIn(answer)])
  expect(isAlive(pidIn(before))).toBe(false)
  expect((await site.instances())[0]?.slot).toBe(String(site.place.slots[1]))
  expect(site.visitors.failures).toEqual([])
})

/** A deploy that fails never harms what serves: each failure, in each layout, while people ask without a pause. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Deployed, layouts, pidIn, type Layout, type Version } from './layouts.ts'

interface Failure {
  readonly title: string
  readonly version: Omit<Version, 'says'>
  /** Step and reason. */
  readonly message: RegExp
  /** The last lines that are shown. */
  readonly lines: RegExp
  /** Users were led to the new version before it failed. */
  readonly hasServed?: boolean
  readonly needsSlots?: boolean
}

const failures: readonly Failure[] = [
  {
    title: 'a version that never becomes healthy',
    version: { behaves: 'unhealthy', totalTimeout: '2s' },
    message: /in step `ready`: not ready within 2s: (status 500|connection refused)/,
    lines: /│ bad starts/,
  },
  {
    title: 'a version that crashes two seconds after it was ready',
    version: { behaves: 'crashes', deployment: { grace_period: '60s' } },
    message: /in step `grace_period`: exit code 7/,
    lines: /│ out of memory/,
    hasServed: true,
  },
  {
    title: 'a `pre_start` that fails',
    version: { deployment: { pre_start: 'echo building; echo out of coffee; exit 4' } },
    message: /in step `pre_start`: exit code 4, `out of coffee`/,
    lines: /│ building\n.*│ out of coffee/,
  },
  {
    title: 'a `pre_start` that hangs',
    version: { deployment: { pre_start: 'echo building; sleep 1000 & sleep 2000', pre_start_timeout: '500ms' } },
    message: /in step `pre_start`: it took longer than 500ms/,
    lines: /│ building/,
  },
  {
    title: 'a `switch_command` that fails after it has led users to the new one',
    version: { afterSwitch: 'test {slot} = {active_slot} || { echo no upstream >&2; exit 3; }' },
    message: /in step `switch_command`: exit code 3, `no upstream`/,
    lines: /│ no upstream/,
    hasServed: true,
    needsSlots: true,
  },
  {
    title: 'a `switch_verify` that fails',
    version: { verify: 'echo 502 from the proxy >&2; exit 22' },
    message: /in step `switch_verify`: exit code 22, `502 from the proxy`/,
    lines: /│ 502 from the proxy/,
    hasServed: true,
    needsSlots: true,
  },
]

/** Of a service that shares its socket: such a version does not accept, so it does not serve either. */
const onSocket = (failure: Failure): Failure =>
  failure.version.behaves === 'unhealthy'
    ? {
        ...failure,
        version: { ...failure.version, behaves: 'never accepts' },
        message: /in step `ready`: not ready within 2s/,
      }
    : failure

const failuresOf = ({ hasSlots }: Layout): readonly Failure[] =>
  hasSlots ? failures : failures.filter(({ needsSlots }) => needsSlots !== true).map(onSocket)

for (const layout of Object.values(layouts)) {
  if (layout.missing !== undefined) console.warn(`skipped: ${layout.title}: ${layout.missing}`)
  describe.skipIf(layout.missing !== undefined)(layout.title, () => {
    let site: Deployed
    beforeAll(async () => {
      site = await Deployed.open(layout, { says: 'good' }, { inTest: false })
    })
    afterAll(() => site[Symbol.asyncDispose]())

    it.each(failuresOf(layout))('$title leaves the old one serving', async ({ version, message, lines, hasServed }) => {
      const answer = await site.answer()
      const old = pidIn(answer)
      const heard = site.visitors.answers.length
      site.configure({ says: 'bad', ...version })
      const failed = await site.deploy()
      expect(failed.code).toBe(1)
      expect(failed.stderr).toMatch(message)
      expect(failed.stderr).toMatch(lines)
      expect(failed.stderr).toContain(`(pid ${old}) goes on serving`)
      expect(await site.answer()).toBe(answer)
      const during = site.visitors.answers.slice(heard)
      expect(during).toContain(answer)
      if (hasServed === true) expect(during.some((one) => one.includes('bad'))).toBe(true)
      else expect(new Set(during)).toEqual(new Set([answer]))
      expect(await site.instances()).toMatchObject([{ pid: old, role: 'active', state: 'running' }])
      expect(await site.processes()).toEqual([old])

      site.configure({ says: `good after ${old}` })
      expect(await site.deploy()).toMatchObject({ code: 0 })
      const better = await site.answer()
      const next = pidIn(better)
      expect(better).toBe(`200 good after ${old} by ${next}`)
      expect(next).not.toBe(old)
      expect(await site.processes()).toEqual([next])
      expect(site.visitors.failures).toEqual([])
    })

    it('a version that dies in the middle of its answers takes nobody else with it', async () => {
      const answer = await site.answer()
      site.configure({ says: 'bad', behaves: 'dies', deployment: { grace_period: '60s' } })
      expect((await site.deploy()).stderr).toMatch(/in step `grace_period`: exit code 7/)
      expect(await site.answer()).toBe(answer)
      expect(site.visitors.failures.length).toBeLessThanOrEqual(site.visitors.count)
    })
  })
}

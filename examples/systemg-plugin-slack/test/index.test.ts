import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SysgEvent } from '@systemg/core'
import { answers } from '@systemg/core/simulated'
import { pluginContract, simulate, type Simulation } from '@systemg/core/testing'
import slack, { textOf } from '../src/index.ts'

pluginContract(slack, { describe, it }, { options: { url: 'http://127.0.0.1:9/hook' } })

const event = (type: string, data: object): SysgEvent => ({
  seq: 1,
  time: '2026-01-01T00:00:00.000Z',
  project: 'shop',
  service: 'api',
  type,
  data: { ...data },
})

describe('a message', () => {
  it('says who, what and why', () => {
    const text = textOf(event('service.failed', { reason: 'gave up: exit code 1' }))
    assert.equal(text, ':red_circle: *shop/api* failed: gave up: exit code 1')
  })

  it('means what it says: nothing in it is markup of a stranger', () => {
    assert.match(textOf(event('service.failed', { reason: '<!channel> & co' })), /&lt;!channel&gt; &amp; co$/)
  })
})

describe('sysg slack-test', () => {
  /** A system in which something answers in place of Slack. */
  const withChannel = (status: number, told: string[] = []): Promise<Simulation> => {
    const channel = answers('tcp://127.0.0.1:9000', ({ body }) => {
      told.push((JSON.parse(body) as { text: string }).text)
      return { status, body: 'invalid_token' }
    })
    const use = { plugin: slack, options: slack.options?.parse({ url: 'http://127.0.0.1:9000/hook' }) }
    return simulate([use], { channel: { command: 'x' } }, { programs: { channel } })
  }

  it('sends a message, and says that it has arrived', async () => {
    const told: string[] = []
    await using sim = await withChannel(200, told)
    const { code, out } = await sim.command('slack-test', { positionals: ['a < b'] })
    assert.deepEqual([code, out], [0, 'It has arrived.\n'])
    assert.deepEqual(told, ['a &lt; b'])
    assert.equal((await sim.command('slack-test', { json: true })).out, '{"sent":true}\n')
  })

  it('says why it has not', async () => {
    await using sim = await withChannel(403)
    await assert.rejects(sim.command('slack-test'), {
      code: 'SYSG_SLACK',
      message: 'Slack did not take the message: it answered 403 invalid_token.',
    })
  })

  it('takes one text', async () => {
    await using sim = await withChannel(200)
    await assert.rejects(sim.command('slack-test', { positionals: ['a', 'b'] }), { code: 'SYSG_USAGE' })
  })
})

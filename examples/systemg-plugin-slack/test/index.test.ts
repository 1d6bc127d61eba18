import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SysgEvent } from '@systemg/core'
import { pluginContract } from '@systemg/core/testing'
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

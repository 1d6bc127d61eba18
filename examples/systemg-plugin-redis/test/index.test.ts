import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Connection } from '@systemg/core'
import { pluginContract } from '@systemg/core/testing'
import redis from '../src/index.ts'
import { readReply } from '../src/reply.ts'

pluginContract(redis, { describe, it })

/** A Redis that answers this to each command. */
const answering = (...answers: readonly string[]): { connection: Connection; sent: string[] } => {
  const sent: string[] = []
  let tell: (chunk: Uint8Array) => void = () => undefined
  const rest = [...answers]
  const connection: Connection = {
    onData: (listener) => void (tell = listener),
    onClose: () => undefined,
    close: () => undefined,
    write: async (data) => {
      sent.push(new TextDecoder().decode(data))
      for (const byte of new TextEncoder().encode(rest.shift())) tell(Uint8Array.of(byte))
    },
  }
  return { connection, sent }
}

describe('a reply', () => {
  it('is read, however it is cut', async () => {
    const { connection, sent } = answering('+PONG\r\n', '$6\r\nab\r\ncd\r\n')
    const ask = readReply(connection)
    assert.equal(await ask('PING'), 'PONG')
    assert.equal(await ask('INFO', 'x'), 'ab\r\ncd')
    assert.deepEqual(sent, ['*1\r\n$4\r\nPING\r\n', '*2\r\n$4\r\nINFO\r\n$1\r\nx\r\n'])
  })

  for (const [answer, reason] of [
    ['-LOADING Redis is loading the dataset in memory', 'it is loading its data'],
    ['-NOAUTH Authentication required.', 'it wants a password'],
    ['-WRONGPASS invalid username-password pair', 'wrong password'],
    ['-ERR no', 'it answered ERR no'],
  ] as const) {
    it(`${answer} is the reason: ${reason}`, async () => {
      await assert.rejects(readReply(answering(`${answer}\r\n`).connection)('PING'), { message: reason })
    })
  }
})

import { SysgError } from '@systemg/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { frame, FrameReader, FrameTooLong } from '../../../plugins/src/control/framing.ts'
import { errorOf, notification, parseMessage } from '../../../plugins/src/control/rpc.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

describe('framing', () => {
  it('gives back every message, however it was cut into chunks', () => {
    const messages = fc.array(fc.jsonValue(), { maxLength: 10 })
    fc.assert(
      fc.property(messages, fc.integer({ min: 1, max: 40 }), (sent, cut) => {
        const reader = new FrameReader(1_000_000)
        const all = bytes(sent.map(frame).join(''))
        const got: unknown[] = []
        for (let at = 0; at < all.length; at += cut) {
          const chunk = all.slice(at, at + cut)
          got.push(...reader.push(chunk).map((text) => JSON.parse(text) as unknown))
          // Hosts reuse their buffer.
          chunk.fill(0)
        }
        expect(got).toEqual(sent.map((value) => JSON.parse(JSON.stringify(value)) as unknown))
        expect(reader.isInside).toBe(false)
      }),
    )
  })

  it('does not cut a character in two', () => {
    const reader = new FrameReader(100)
    const [first, ...rest] = [...bytes('"é€😀"\n')].map((byte) => new Uint8Array([byte]))
    expect([first, ...rest].flatMap((chunk) => (chunk === undefined ? [] : reader.push(chunk)))).toEqual(['"é€😀"'])
  })

  it('knows when a frame has begun', () => {
    const reader = new FrameReader(100)
    reader.push(bytes('{}\n{'))
    expect(reader.isInside).toBe(true)
    reader.push(bytes('}\n'))
    expect(reader.isInside).toBe(false)
  })

  it('takes a line of CRLF and skips empty ones', () => {
    expect(new FrameReader(100).push(bytes('{}\r\n\r\n\n[]\n'))).toEqual(['{}', '[]'])
  })

  it('refuses a frame that is too long as soon as that is known, and keeps nothing of it', () => {
    const reader = new FrameReader(100)
    expect(() => {
      for (let at = 0; at < 200; at++) reader.push(bytes('x'))
    }).toThrow(FrameTooLong)
    expect(reader.isInside).toBe(false)
  })

  it('takes a frame of exactly the longest length', () => {
    expect(new FrameReader(4).push(bytes('1234\n'))).toEqual(['1234'])
  })
})

describe('a message', () => {
  it.each([
    ['{"jsonrpc":"2.0","id":1,"method":"ping"}', { kind: 'request', request: { id: 1, method: 'ping' } }],
    ['{"jsonrpc":"2.0","id":"a","method":"x","params":{"b":1}}', { kind: 'request', request: { params: { b: 1 } } }],
    ['{"jsonrpc":"2.0","method":"cancel","params":{"id":1}}', { kind: 'notification', method: 'cancel' }],
    ['nonsense', { kind: 'invalid', id: null, error: { code: -32_700 } }],
    ['GET / HTTP/1.1', { kind: 'invalid', id: null, error: { code: -32_700 } }],
    ['7', { kind: 'invalid', id: null, error: { code: -32_600 } }],
    ['null', { kind: 'invalid', id: null, error: { code: -32_600 } }],
    ['[{"jsonrpc":"2.0","id":1,"method":"ping"}]', { kind: 'invalid', id: null, error: { code: -32_600 } }],
    ['{"id":1,"method":"ping"}', { kind: 'invalid', id: 1, error: { code: -32_600 } }],
    ['{"jsonrpc":"2.0","id":1}', { kind: 'invalid', id: 1, error: { code: -32_600 } }],
    ['{"jsonrpc":"2.0","id":{},"method":"x"}', { kind: 'invalid', id: null, error: { code: -32_600 } }],
    ['{"jsonrpc":"2.0","id":1,"method":7}', { kind: 'invalid', id: 1, error: { code: -32_600 } }],
  ])('%s', (text, expected) => {
    expect(parseMessage(text)).toMatchObject(expected)
  })

  it('is judged without ever throwing', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseMessage(text)))
  })

  it('about a running request carries its id', () => {
    expect(notification(3, 'event', { type: 'x', id: 'own' })).toEqual({
      jsonrpc: '2.0',
      method: 'event',
      params: { type: 'x', id: 3 },
    })
    expect(notification(3, 'event', 'text').params).toEqual({ value: 'text', id: 3 })
  })
})

describe('what a method threw', () => {
  it('keeps its stable code and hint', () => {
    expect(errorOf(new SysgError('SYSG_SERVICE_UNKNOWN', { name: 'x' }))).toEqual({
      code: -32_000,
      message: 'There is no service `x`.',
      data: { code: 'SYSG_SERVICE_UNKNOWN', hint: '`sysg status` lists the services.' },
    })
  })

  it('names the field of a wrong parameter', () => {
    const wrong = z.strictObject({ services: z.array(z.string()) }).safeParse({ services: ['a', 7] }).error
    expect(errorOf(wrong)).toMatchObject({ code: -32_602, message: expect.stringContaining('`services.1`') as string })
  })

  it('tells of anything else without a stack', () => {
    const error = errorOf(new TypeError('x is undefined'))
    expect(error).toMatchObject({ code: -32_603, message: 'The supervisor failed to answer: x is undefined.' })
    expect(JSON.stringify(error)).not.toContain('.ts:')
  })
})

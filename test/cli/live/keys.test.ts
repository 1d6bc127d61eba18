import { describe, expect, it } from 'vitest'
import { keyReader } from '../../../cli/src/live/keys.ts'

const read = (...texts: readonly string[]) => {
  const reader = keyReader()
  return [...texts.flatMap((text) => reader.read(text)), ...reader.flush()]
}

describe('keys', () => {
  it.each([
    ['j', ['j']],
    ['jk', ['j', 'k']],
    ['\u001B[A', ['up']],
    ['\u001BOB', ['down']],
    ['\u001B[5~\u001B[6~', ['page-up', 'page-down']],
    ['\u001B[H\u001B[4~', ['home', 'end']],
    ['\u001B[1;5A', ['up']],
    ['\r', ['enter']],
    ['\u0003', ['ctrl-c']],
    ['\u001A', ['ctrl-z']],
    ['\u007F', ['backspace']],
    ['ä', ['ä']],
    // What has no name is no key: a function key, a mouse, Alt and a letter.
    ['\u001B[15~x\u001B[<0;1;1M\u001Bj', ['x']],
    ['\u001BOM', ['enter']],
    ['\u0001', []],
  ])('of %j are %j', (text, keys) => {
    expect(read(text)).toEqual(keys)
  })

  it('come in pieces over a slow line', () => {
    expect(read('\u001B', '[', 'A', 'j')).toEqual(['up', 'j'])
  })

  it('are ESC itself when nothing follows', () => {
    const reader = keyReader()
    expect(reader.read('\u001B')).toEqual([])
    expect(reader.isWaiting).toBe(true)
    expect(reader.flush()).toEqual(['escape'])
    expect(reader.flush()).toEqual([])
  })
})

import { describe, expect, it } from 'vitest'
import { fit, fitMiddle, pad, plain, widthOf, wrap } from '../../../cli/src/terminal/text.ts'

describe('text on a terminal', () => {
  it.each([
    ['', 0],
    ['api', 3],
    ['naïve', 5],
    ['e\u0301', 1],
    ['数据', 4],
    ['ｆｕｌｌ', 8],
    ['🚀', 2],
    ['👩‍👩‍👧', 2],
    ['🇩🇪', 2],
    ['☃️', 2],
    ['→', 1],
  ])('%j takes so many cells: %i', (text, cells) => {
    expect(widthOf(text)).toBe(cells)
  })

  it('is on one line and free of control sequences', () => {
    expect(plain('a\u001B[31mb\u001B[0m\tc\r\nd\u0000\u009B')).toBe('ab c d��')
    expect(plain('as it is')).toBe('as it is')
  })

  it('is cut at its end without cutting a character', () => {
    expect(fit('abcdef', 6)).toBe('abcdef')
    expect(fit('abcdef', 4)).toBe('abc…')
    expect(fit('数据库', 4)).toBe('数…')
    expect(fit('数据库', 5)).toBe('数据…')
    expect(fit('abc', 1)).toBe('…')
    expect(fit('abc', 0)).toBe('')
    expect(fit('abc', -3)).toBe('')
  })

  it('is cut in its middle, so that names that differ at their end still differ', () => {
    expect(fitMiddle('payments-worker-1', 11)).toBe('payme…ker-1')
    expect(fitMiddle('payments-worker-2', 10)).toBe('payme…er-2')
    expect(fitMiddle('short', 5)).toBe('short')
    expect(fitMiddle('abcd', 2)).toBe('a…')
    expect(widthOf(fitMiddle('数据库数据库', 6))).toBeLessThanOrEqual(6)
  })

  it('is filled up to a width by cells', () => {
    expect(pad('数', 4)).toBe('数  ')
    expect(pad('12', 4, 'right')).toBe('  12')
    expect(pad('longer', 2)).toBe('longer')
  })

  it('is broken at spaces, and a word that is too long anywhere', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three'])
    expect(wrap('abcdefgh ij', 4)).toEqual(['abcd', 'efgh', 'ij'])
    expect(wrap('数据库', 4)).toEqual(['数据', '库'])
    expect(wrap('数', 1)).toEqual(['数'])
    expect(wrap('', 5)).toEqual([])
    expect(wrap('kept  as it is', 80)).toEqual(['kept  as it is'])
  })
})

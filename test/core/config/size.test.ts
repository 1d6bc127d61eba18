import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatSize, parseSize, size } from '../../../core/src/config/index.ts'

describe('size', () => {
  it.each([
    [100, 100],
    ['100', 100],
    ['100B', 100],
    ['1K', 1024],
    ['1KB', 1024],
    ['1KiB', 1024],
    ['10M', 10_485_760],
    ['2gb', 2_147_483_648],
    ['1.5G', 1_610_612_736],
    ['1 T', 1_099_511_627_776],
  ])('reads %j as %d bytes', (value, bytes) => {
    expect(size.parse(value)).toBe(bytes)
  })

  it.each(['', 'big', '-1M', '1X', '10 MM', 'M', '1e9', Number.NaN, -1, true, null, '9'.repeat(30)])(
    'refuses %j and gives an example',
    (value) => {
      expect(size.safeParse(value).error?.issues[0]?.message).toBe('must be a size such as `512M`')
    },
  )

  it.each([
    [0, '0B'],
    [1023, '1023B'],
    [1024, '1K'],
    [1536, '1.5K'],
    [10_485_760, '10M'],
    [1_048_575, '1M'],
    [5 * 1024 ** 4, '5T'],
  ])('writes %d bytes as %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text)
  })

  it('reads back whole multiples of a unit as they were', () => {
    const sizes = fc.tuple(fc.integer({ min: 0, max: 1023 }), fc.integer({ min: 0, max: 4 }))
    fc.assert(
      fc.property(sizes, ([count, power]) => parseSize(formatSize(count * 1024 ** power)) === count * 1024 ** power),
    )
  })
})

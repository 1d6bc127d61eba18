/** Checks of data that programs exchange. */
import { shape } from '@systemg/core'
import { describe, expect, it } from 'vitest'

const job = shape.strict({
  name: shape.text,
  tries: shape.count.default(3),
  how: shape.oneOf('fast', 'slow').optional(),
  argv: shape.argv,
  limits: shape.record(shape.amount.nullable()).optional(),
})
const good = { name: 'a', argv: ['x', ''] }

describe('a shape', () => {
  it('gives back what fits, with what is missing filled in', () => {
    expect(job.parse(good)).toEqual({ ...good, tries: 3 })
    expect(job.read({ ...good, tries: 0, how: 'slow', limits: { cpu: null, memory: 0.5 } })).toEqual({
      ...good,
      ...{ tries: 0, how: 'slow', limits: { cpu: null, memory: 0.5 } },
    })
  })

  it.each([
    ['name', { name: 1 }, 'name', 'expected string, received number'],
    ['name', { name: '' }, 'name', 'must not be empty'],
    ['name', { name: undefined }, 'name', 'expected string, received undefined'],
    ['tries', { tries: 1.5 }, 'tries', 'expected whole number, received number'],
    ['tries', { tries: -1 }, 'tries', 'must not be negative'],
    ['how', { how: null }, 'how', 'expected one of "fast", "slow"'],
    ['argv', { argv: [] }, 'argv', 'must begin with a program'],
    ['argv', { argv: ['x', null] }, 'argv.1', 'expected string, received null'],
    ['limits', { limits: { cpu: Number.NaN } }, 'limits.cpu', 'expected number, received number'],
    ['limits', { limits: [] }, 'limits', 'expected object, received array'],
    ['other', { other: 1 }, '', 'Unrecognized key: "other"'],
  ])('says what is wrong with %s: %j', (_, part, path, message) => {
    const value = { ...good, ...part }
    const issues = [{ path: path === '' ? [] : path.split('.').map((step) => (step === '1' ? 1 : step)), message }]
    expect(() => job.parse(value)).toThrow(expect.objectContaining({ name: 'ShapeError', issues }))
    expect(job.read(value)).toBeUndefined()
  })

  it('tells every mistake at once', () => {
    expect(() => job.parse({ argv: 'x', more: 1 })).toThrow(
      'Unrecognized key: "more"; name expected string, received undefined; argv expected array, received string',
    )
  })

  it('keeps keys that it does not know where it is loose', () => {
    const loose = shape.loose({ at: shape.number, in: shape.loose({ a: shape.boolean }) })
    const value = { at: 1, in: { a: true, b: [1] }, c: null }
    expect(loose.parse(value)).toEqual(value)
    expect(loose.read({ at: 1 })).toBeUndefined()
    expect(loose.read([])).toBeUndefined()
  })

  it('takes nothing of a prototype for a key', () => {
    expect(shape.strict({}).read(JSON.parse('{"__proto__": {"a": 1}}'))).toBeUndefined()
    expect(shape.record(shape.number).parse(JSON.parse('{"__proto__": 1}'))).toEqual(JSON.parse('{"__proto__": 1}'))
    expect(shape.loose({ toString: shape.string }).read({})).toBeUndefined()
  })

  it('takes times as numbers, or as ISO 8601 with an offset', () => {
    expect(shape.moment.parse('1970-01-01T00:00:01Z')).toBe(1_000)
    expect(shape.moment.parse('1970-01-01T01:00:01.5+01:00')).toBe(1_500)
    expect(shape.moment.parse(7)).toBe(7)
    for (const wrong of ['yesterday', '1970-01-01', '1970-01-01T00:00:01', '1970-13-01T00:00:00Z', null])
      expect(shape.moment.read(wrong)).toBeUndefined()
  })

  it('is one or the other', () => {
    const either = shape.either(shape.count, shape.string)
    expect([0, '', 'a'].map((value) => either.parse(value))).toEqual([0, '', 'a'])
    expect(either.read(-1)).toBeUndefined()
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { changedInputs, changedKeys, isLiveChange, isSame, liveKeys } from '../../core/src/changed-keys.ts'
import { defaultEdge, resolvedService } from './resolved-service.ts'

describe('changed keys', () => {
  it('are none when nothing differs, however it was written down', () => {
    const before = resolvedService('api', { depends_on: { db: defaultEdge, cache: defaultEdge } })
    const after = resolvedService('api', { depends_on: { cache: defaultEdge, db: defaultEdge } })
    expect(changedKeys(before, after)).toEqual([])
  })

  it('are those whose value differs, sorted', () => {
    const after = resolvedService('api', { stop_timeout: 1, working_dir: '/' })
    expect(changedKeys(resolvedService('api'), after)).toEqual(['stop_timeout', 'working_dir'])
  })

  it('name the command once, and what is made of it only when nothing else says why', () => {
    const before = resolvedService('api')
    expect(changedKeys(before, resolvedService('api', { argv: ['y'], command: 'y' }))).toEqual(['command'])
    expect(changedKeys(before, resolvedService('api', { argv: ['y'] }))).toEqual(['argv'])
  })

  it('are also those that only one of the two has', () => {
    const plain = resolvedService('api')
    const extended = resolvedService('api', { env: { vars: {} } })
    expect(changedKeys(plain, extended)).toEqual(['env'])
    expect(changedKeys(extended, plain)).toEqual(['env'])
  })

  it('see a difference in the order of a list', () => {
    const of = (...codes: number[]) => resolvedService('api', { success_exit_codes: codes })
    expect(changedKeys(of(0, 3), of(3, 0))).toEqual(['success_exit_codes'])
  })

  it('count as live only what a running process can do without', () => {
    expect(liveKeys).not.toContain('command')
    expect(liveKeys).not.toContain('argv')
    expect(liveKeys).not.toContain('working_dir')
    for (const key of liveKeys) expect(Object.keys(resolvedService('api'))).toContain(key)
  })
})

describe('changed inputs', () => {
  const of = (inputs?: Readonly<Record<string, string>>) =>
    resolvedService('api', inputs === undefined ? {} : { inputs })

  it.each([
    [{ a: '1' }, { a: '2' }, ['a']],
    [{ a: '1' }, { a: '1' }, []],
    [{ a: '1', b: '1' }, { b: '2', c: '1' }, ['b']],
    [undefined, { a: '1' }, []],
    [{ a: '1' }, undefined, []],
  ])('of %j and %j are %j', (before, after, expected) => {
    expect(changedInputs(of(before), of(after))).toEqual(expected)
  })

  it('are no changed keys', () => {
    expect(changedKeys(of({ a: '1' }), of({ a: '2' }))).toEqual([])
  })
})

describe('the same JSON', () => {
  it.each<[unknown, unknown, boolean]>([
    [1, 1, true],
    ['1', 1, false],
    [null, null, true],
    [null, {}, false],
    [{}, null, false],
    [undefined, null, false],
    [[], {}, false],
    [{}, [], false],
    [[1, [2]], [1, [2]], true],
    [[1, 2], [1], false],
    [[1], [1, 2], false],
    [{ a: 1 }, { b: 1 }, false],
    [{ a: 1, b: 2 }, { b: 2, a: 1 }, true],
    [{ a: { b: [] } }, { a: { b: {} } }, false],
    [0, -0, true],
  ])('%j and %j: %s', (a, b, expected) => {
    expect(isSame(a, b)).toBe(expected)
  })

  it('is found for a copy, and only for what serializes alike', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), fc.jsonValue(), (a, b) => {
        expect(isSame(a, structuredClone(a))).toBe(true)
        if (isSame(a, b)) expect(sorted(a)).toBe(sorted(b))
        expect(isSame(a, b)).toBe(isSame(b, a))
      }),
    )
  })

  it('is not found where a key is only in the prototype', () => {
    const hidden: unknown = JSON.parse('{"__proto__":{}}')
    expect(isSame(hidden, { a: {} })).toBe(false)
    expect(isSame(hidden, structuredClone(hidden))).toBe(true)
  })
})

describe('a change that needs no restart', () => {
  const live = ['hooks', 'deployment.grace', 'deployment.blue.switch']
  it.each<[string, unknown, unknown, boolean]>([
    ['hooks', { a: 1 }, { a: 2 }, true],
    ['env', { a: 1 }, { a: 2 }, false],
    ['deployment', { grace: 1 }, { grace: 2 }, true],
    ['deployment', { grace: 1 }, {}, true],
    ['deployment', { grace: 1, slots: 1 }, { grace: 2, slots: 2 }, false],
    ['deployment', { blue: { switch: 1, slots: 1 } }, { blue: { switch: 2, slots: 1 } }, true],
    ['deployment', { blue: { switch: 1, slots: 1 } }, { blue: { switch: 1, slots: 2 } }, false],
    ['deployment', {}, { blue: { switch: 1 } }, false],
    ['deployment', undefined, { grace: 1 }, false],
    ['deployment', ['grace'], ['other'], false],
  ])('%s: %j to %j is %s', (key, before, after, expected) => {
    expect(isLiveChange(key, before, after, live)).toBe(expected)
  })
})

/** JSON with the keys of every map in order. */
const sorted = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : Object.is(part, -0)
        ? 0
        : part,
  )

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { interpolate, interpolateText, variablesNamed } from '../../../core/src/config/index.ts'

const env: Record<string, string> = { PORT: '80', HOST: 'db', EMPTY: '' }
const lookup = (name: string): string | undefined => env[name]

describe('interpolateText', () => {
  it.each([
    ['no references', 'no references'],
    ['${PORT}', '80'],
    ['http://${HOST}:${PORT}/', 'http://db:80/'],
    ['${PORT:-1}', '80'],
    ['${NOPE:-1}', '1'],
    ['${NOPE:-}', ''],
    ['${EMPTY:-1}', '1'],
    ['${EMPTY-1}', ''],
    ['${EMPTY}', ''],
    ['${NOPE:-${PORT}}', '80'],
    ['${NOPE:-${NOR:-x}y}', 'xy'],
    ['${NOPE:-a:b-c}', 'a:b-c'],
    ['${PORT:?needed}', '80'],
    ['${PORT:+set}', 'set'],
    ['${NOPE:+set}', ''],
    ['$$', '$'],
    ['$${PORT}', '${PORT}'],
    ['$$$${PORT}', '$${PORT}'],
    ['$$${PORT}', '$80'],
    ['${NOPE:-$$x}', '$x'],
    ['$PORT $1 $(date) a$', '$PORT $1 $(date) a$'],
    ['${SYSG_REPLICA} ${SYSG_X:-1}', '${SYSG_REPLICA} ${SYSG_X:-1}'],
    ['{slot} {a}', '{slot} {a}'],
    ['${NOPE:-first\nsecond}', 'first\nsecond'],
  ])('expands %j to %j', (text, expanded) => {
    expect(interpolateText(text, lookup)).toEqual({ text: expanded, problems: [] })
  })

  it.each([
    ['a ${NOPE} b', { reference: '${NOPE}', name: 'NOPE', kind: 'undefined' }],
    ['${EMPTY:?give one}', { reference: '${EMPTY:?give one}', name: 'EMPTY', kind: 'undefined', message: 'give one' }],
    ['${A:-${NOPE}}', { reference: '${NOPE}', name: 'NOPE', kind: 'undefined' }],
    ['${X%.*}', { reference: '${X%.*}', kind: 'syntax' }],
    ['${#X}', { reference: '${#X}', kind: 'syntax' }],
    ['${}', { reference: '${}', kind: 'syntax' }],
    ['${1}', { reference: '${1}', kind: 'syntax' }],
    ['${OPEN', { reference: '${OPEN', kind: 'syntax', message: 'is not closed: a `}` is missing' }],
  ])('finds the mistake in %j', (text, problem) => {
    expect(interpolateText(text, lookup).problems).toEqual([expect.objectContaining(problem)])
  })

  it('leaves any text without a dollar as it is', () => {
    fc.assert(
      fc.property(
        fc.string(),
        (text) => interpolateText(text.replaceAll('$', ''), lookup).text === text.replaceAll('$', ''),
      ),
    )
  })

  it('never expands what it inserts', () => {
    const text = interpolateText('${A}', () => '${B} $$').text
    expect(text).toBe('${B} $$')
  })

  it('finds the value of every variable, whatever surrounds it', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (before, value, after) => {
        const [start, end] = [before.replaceAll('$', '$$$$'), after.replaceAll('$', '$$$$')]
        expect(interpolateText(`${start}\${X}${end}`, () => value).text).toBe(before + value + after)
      }),
    )
  })
})

describe('interpolate', () => {
  it('expands the strings in lists and maps, leaves keys and other values, and says what changed', () => {
    const value = { '${PORT}': 1, list: ['${PORT}', true, null], map: { host: '${HOST}', plain: 'x' } }
    const result = interpolate(value, lookup)
    expect(result.value).toEqual({ '${PORT}': 1, list: ['80', true, null], map: { host: 'db', plain: 'x' } })
    expect(result.changed).toEqual([
      ['list', 0],
      ['map', 'host'],
    ])
  })

  it('hands through what is no plain data', () => {
    const plugin = new (class Custom {
      name = '${NOPE}'
    })()
    const setup = (): void => undefined
    const result = interpolate({ plugin, setup }, lookup)
    expect(result.value).toEqual({ plugin, setup })
    expect((result.value as { plugin: unknown }).plugin).toBe(plugin)
    expect(result.problems).toEqual([])
  })

  it('keeps a key called __proto__ a key', () => {
    const value: unknown = JSON.parse('{"__proto__": {"polluted": "${PORT}"}}')
    const result = interpolate(value, lookup).value as object
    expect(Object.keys(result)).toEqual(['__proto__'])
    expect('polluted' in result).toBe(false)
  })
})

describe('variablesNamed', () => {
  it('lists what a client has to send: sorted, once, with those in defaults, without those of the launch', () => {
    const value = { a: '${B} ${A:-${C:-x}}', b: ['${B}', '$${D} $E ${SYSG_PID}'], c: { d: '${F:?why ${G}}' } }
    expect(variablesNamed(value)).toEqual(['A', 'B', 'C', 'F', 'G'])
  })
})

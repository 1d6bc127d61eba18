import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { formatPath, formatProblem, type Problem } from '../../../core/src/config/index.ts'

const problem = (place: Partial<Problem> = {}): Problem => ({
  code: 'SYSG_CONFIG_VALUE',
  message: '`replicas` must be a whole number, not `many`.',
  hint: 'Write 3.',
  path: ['services', 'my.api', 'replicas'],
  file: '/app/systemg.yaml',
  line: 1,
  column: 11,
  endColumn: 15,
  severity: 'error',
  ...place,
})

/** The excerpt: the source line and the marker line, without what surrounds them. */
const excerpt = (source: string, column: number, endColumn: number, width?: number): string[] =>
  formatProblem(problem({ column, endColumn }), source, width === undefined ? {} : { width })
    .split('\n')
    .slice(1, 3)
    .map((line) => line.slice('  1 | '.length))

describe('formatProblem', () => {
  it('shows place, line, marker, expectation, suggestion and code', () => {
    expect(formatProblem(problem(), 'replicas: many', { folder: '/app' })).toBe(
      [
        'systemg.yaml:1:11',
        '  1 | replicas: many',
        '    |           ^^^^',
        '  `replicas` must be a whole number, not `many`.',
        '  Write 3.',
        '  SYSG_CONFIG_VALUE',
      ].join('\n'),
    )
  })

  it.each([
    ['  API_TOKEN: hunter2, replicas: many', '  API_TOKEN: *******, replicas: many'],
    ['{ "password": "hunter2", x: many }', '{ "password": "*******", x: many }'],
    ['db: postgres://u:hunter2@h/x many', 'db: postgres://u:*******@h/x many'],
    ['PASSWORDS: [ hunter2, "x y" ], x: many', 'PASSWORDS: [ *******, "* *" ], x: many'],
    ['password: my pass phrase', 'password: ** **** ******'],
    ['command: API_KEY=hunter2', 'command: API_KEY=*******'],
    ['token: ${TOKEN}', 'token: ${TOKEN}'],
    ['port: 80', 'port: 80'],
  ])('shows no secret that stands in the line: %s', (source, line) => {
    expect(excerpt(source, 1, 2)[0]).toBe(line)
  })

  it('shows the path of a mistake that has no position', () => {
    const shown = formatProblem(
      problem({ file: '/app/sysg.config.ts', line: null, column: null, endColumn: null, hint: null }),
    )
    expect(shown.split('\n')).toEqual([
      '/app/sysg.config.ts',
      '  at services["my.api"].replicas',
      '  `replicas` must be a whole number, not `many`.',
      '  SYSG_CONFIG_VALUE',
    ])
  })

  it.each<[string, string, number, number, string[]]>([
    ['after a tab', 'a:\tmany', 4, 8, ['a:  many', '    ^^^^']],
    ['that holds a tab', 'a: b\tc', 4, 7, ['a: b    c', '   ^^^^^^']],
    ['after wide letters', '名前: many', 5, 9, ['名前: many', '      ^^^^']],
    ['of wide letters', 'a: 日本', 4, 6, ['a: 日本', '   ^^^^']],
    ['after an emoji', '🚀: many', 5, 9, ['🚀: many', '    ^^^^']],
    ['after a letter with a combining accent', 'e\u0301: many', 5, 9, ['e\u0301: many', '   ^^^^']],
    ['at the end of a line', 'a:', 3, 4, ['a:', '  ^']],
    ['in a line with a carriage return', 'a: many\r', 4, 8, ['a: many', '   ^^^^']],
    ['behind a byte order mark', '\uFEFFa: many', 4, 8, ['a: many', '   ^^^^']],
  ])('puts the marker under a value %s', (_, source, column, endColumn, lines) => {
    expect(excerpt(`${source}\nnext: 1`, column, endColumn)).toEqual(lines)
  })

  it('never prints what would play with the terminal', () => {
    expect(excerpt('a: \u001B[31mred\u202Eder', 4, 8).join('')).not.toMatch(/[\u001B\u202E]/)
  })

  it('cuts a very long line around the marker', () => {
    const source = `${'x'.repeat(5_000)}MANY${'y'.repeat(1_000_000)}`
    const [line = '', marker = ''] = excerpt(source, 5_001, 5_005, 60)
    expect(line.length).toBeLessThanOrEqual(62)
    expect(line).toMatch(/^…x+MANYy+…$/)
    expect(line.slice(marker.indexOf('^'), marker.lastIndexOf('^') + 1)).toBe('MANY')
  })

  it('shows as much as fits of a line that is cut at its beginning alone', () => {
    const [line = ''] = excerpt(`${'x'.repeat(60)}MANY${'y'.repeat(10)}`, 61, 65, 60)
    expect(line).toBe(`…${'x'.repeat(46)}MANY${'y'.repeat(10)}`)
  })

  it('cuts a very long value, and never through a character', () => {
    const [line = '', marker = ''] = excerpt(`a: ${'🚀'.repeat(5_000)}`, 4, 10_004, 51)
    expect(line.isWellFormed()).toBe(true)
    expect(marker.trim()).toMatch(/^\^+$/)
  })

  it('colours only when asked, and says the same', () => {
    const coloured = formatProblem(problem(), 'replicas: many', { color: true })
    expect(coloured).toContain('\u001B[31m')
    expect(stripVTControlCharacters(coloured)).toBe(formatProblem(problem(), 'replicas: many'))
  })

  it('says that a warning is one', () => {
    expect(formatProblem(problem({ severity: 'warning' }), 'replicas: many').split('\n')[0]).toBe(
      '/app/systemg.yaml:1:11 warning',
    )
  })

  it('does without the line when the text does not have it', () => {
    expect(formatProblem(problem({ line: 9 }), 'one line')).not.toContain('^')
  })
})

describe('formatPath', () => {
  it.each([
    [[], ''],
    [['services', 'api', 'exec', 0], 'services.api.exec[0]'],
    [['services', 'my.api', 'env'], 'services["my.api"].env'],
    [['stop_timeout'], 'stop_timeout'],
  ])('writes %j as %s', (path, text) => {
    expect(formatPath(path)).toBe(text)
  })
})

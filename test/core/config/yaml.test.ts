import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ParsedYaml, parseYaml } from '../../../core/src/config/index.ts'

const parse = (text: string, files: Record<string, string> = {}): Promise<ParsedYaml> =>
  parseYaml({ text, file: '/app/systemg.yaml', readText: async (path) => files[path] })

const problemsOf = ({ problems }: ParsedYaml): string[] =>
  problems.map(
    ({ file, line, column, message }) => `${file.slice('/app/'.length)}:${line ?? '?'}:${column ?? '?'} ${message}`,
  )

describe('values', () => {
  it.each<[string, unknown]>([
    ['', null],
    ['# only a comment', null],
    ['a: 1', { a: 1 }],
    ['---\na: 1\n', { a: 1 }],
    ['\uFEFFa: 1\n', { a: 1 }],
    ['a: x\r\nb:\r\n  - y\r\n', { a: 'x', b: ['y'] }],
    ['a: yes\nb: 0o17\nc: 1.0\nd: ~\ne: on', { a: 'yes', b: 15, c: 1, d: null, e: 'on' }],
    ['8080: x\ntrue: y\nnull: z', { '8080': 'x', true: 'y', null: 'z' }],
    ['a: |\n  x\n  y\n', { a: 'x\ny\n' }],
    ['a: &x {p: 1}\nb: *x', { a: { p: 1 }, b: { p: 1 } }],
    ['a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}', { a: { p: 1, q: 2 }, b: { p: 1, q: 3 } }],
    ['a: &x {p: 1}\nb: &y {p: 2, q: 2}\nc: {<<: [*x, *y]}', { a: { p: 1 }, b: { p: 2, q: 2 }, c: { p: 1, q: 2 } }],
  ])('reads %j', async (text, value) => {
    const parsed = await parse(text)
    expect(parsed.value).toEqual(value)
    expect(parsed.problems).toEqual([])
  })

  it('keeps a key called __proto__ a key', async () => {
    const { value } = await parse('__proto__: {polluted: 1}\nb: 1')
    expect(Object.keys(value as object)).toEqual(['__proto__', 'b'])
  })

  it('reads any JSON as what it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 3 })), async (value) => {
        const parsed = await parse(JSON.stringify(value))
        expect(parsed.problems).toEqual([])
        expect(parsed.value).toEqual(JSON.parse(JSON.stringify(value)))
      }),
      { numRuns: 200 },
    )
  })
})

describe('positions', () => {
  const text =
    'services:\r\n  "my.api":\r\n    command: run  # go\r\n    exec: [a, "b c"]\r\n    script: |\r\n      one\r\n      two ${X}\r\n    empty:\r\n'

  it.each<[string, (string | number)[], [number, number, number], 'key' | 'value', string | undefined]>([
    ['a value', ['services', 'my.api', 'command'], [3, 14, 17], 'value', undefined],
    ['a key', ['services', 'my.api', 'command'], [3, 5, 12], 'key', undefined],
    ['an entry of a list', ['services', 'my.api', 'exec', 1], [4, 15, 20], 'value', undefined],
    ['a list on one line', ['services', 'my.api', 'exec'], [4, 11, 21], 'value', undefined],
    ['a map by its key', ['services', 'my.api'], [2, 3, 11], 'value', undefined],
    ['a block of text by its key', ['services', 'my.api', 'script'], [5, 5, 11], 'value', undefined],
    ['text inside of a block', ['services', 'my.api', 'script'], [7, 11, 15], 'value', '${X}'],
    ['nothing by its key', ['services', 'my.api', 'empty'], [8, 5, 10], 'value', undefined],
  ])('finds %s', async (_, path, [line, column, endColumn], part, inner) => {
    const { positionOf } = await parse(text)
    expect(positionOf(path, part, inner)).toEqual({ file: '/app/systemg.yaml', line, column, endColumn })
  })

  it('finds the value in the anchor that an alias or a merge stands for', async () => {
    const { positionOf } = await parse('a: &x\n  p: 1\nb: *x\nc:\n  <<: *x\n')
    expect(positionOf(['b', 'p'])).toMatchObject({ line: 2, column: 6 })
    expect(positionOf(['c', 'p'])).toMatchObject({ line: 2, column: 6 })
    expect(positionOf(['b'], 'key')).toMatchObject({ line: 3, column: 1 })
  })

  it('knows nothing of what is not there', async () => {
    const { positionOf } = await parse('a: 1')
    expect(positionOf(['a', 'b'])).toBeUndefined()
    expect(positionOf(['constructor'])).toBeUndefined()
  })
})

describe('!include', () => {
  it('puts the content of another file in place, relative to the including one, with positions in that file', async () => {
    const files = {
      '/app/parts/web.yaml': 'command: !include more/cmd.yaml',
      '/app/parts/more/cmd.yaml': '# hi\nrun me',
    }
    const parsed = await parse('services:\n  web: !include parts/web.yaml\n', files)
    expect(parsed.value).toEqual({ services: { web: { command: 'run me' } } })
    expect(parsed.positionOf(['services', 'web', 'command'])).toMatchObject({
      file: '/app/parts/more/cmd.yaml',
      line: 2,
      column: 1,
    })
    expect(parsed.positionOf(['services', 'web'], 'key')).toMatchObject({
      file: '/app/systemg.yaml',
      line: 2,
      column: 3,
    })
    expect([...parsed.files.keys()]).toEqual(['/app/systemg.yaml', ...Object.keys(files)])
  })

  it('reports a missing file with the chain that leads to it, and goes on', async () => {
    const parsed = await parse('a: !include b.yaml\nz: 1\n', { '/app/b.yaml': 'x: !include ../gone.yaml\ny: 2' })
    expect(parsed.value).toEqual({ a: { y: 2 }, z: 1 })
    expect(problemsOf(parsed)).toEqual(['b.yaml:1:13 `!include ../gone.yaml` names a file that does not exist.'])
    expect(parsed.problems[0]?.hint).toContain('systemg.yaml → b.yaml → /gone.yaml')
    expect(parsed.unreadable(['a', 'x', 'anything'])).toBe(true)
  })

  it('reports a circle of includes', async () => {
    const parsed = await parse('a: !include b.yaml', { '/app/b.yaml': 'c: !include systemg.yaml' })
    expect(problemsOf(parsed)).toEqual(['b.yaml:1:13 `!include systemg.yaml` includes itself.'])
    expect(parsed.problems[0]?.hint).toContain('systemg.yaml → b.yaml → systemg.yaml')
  })

  it('reports a file that cannot be read', async () => {
    const readText = async (): Promise<string> => Promise.reject(new Error('EACCES: permission denied'))
    const parsed = await parseYaml({ text: 'a: !include b.yaml', file: '/app/systemg.yaml', readText })
    expect(problemsOf(parsed)).toEqual([
      "systemg.yaml:1:13 `!include b.yaml` can't be read: EACCES: permission denied.",
    ])
  })

  it.each(['a: !include', 'a: !include ""', 'a: !include [b]', 'a: !include {b: c}'])(
    'wants a path in %j',
    async (text) => {
      expect((await parse(text)).problems.map(({ message }) => message)).toEqual([expect.stringMatching(/path/)])
    },
  )

  it('reads a file that is included twice once', async () => {
    let reads = 0
    const readText = async (): Promise<string> => `n: ${(reads += 1)}`
    const parsed = await parseYaml({
      text: 'a: !include b.yaml\nc: !include b.yaml',
      file: '/app/systemg.yaml',
      readText,
    })
    expect(parsed.value).toEqual({ a: { n: 1 }, c: { n: 1 } })
  })

  it('refuses includes that unfold to more than a config can be, quickly', async () => {
    const files: Record<string, string> = { '/app/30.yaml': 'x' }
    for (let level = 0; level < 30; level += 1)
      files[`/app/${level}.yaml`] = `[!include ${level + 1}.yaml, !include ${level + 1}.yaml]`
    const parsed = await parse('a: !include 0.yaml', files)
    expect(parsed.problems[0]?.message).toBe('This unfolds to more than 100000 values.')
  })
})

describe('aliases', () => {
  it('refuses an alias bomb', async () => {
    const levels = Array.from({ length: 20 }, (_, n) => `l${n + 1}: &l${n + 1} [${Array(9).fill(`*l${n}`).join(', ')}]`)
    const parsed = await parse(['l0: &l0 x', ...levels].join('\n'))
    expect(problemsOf(parsed)).toEqual(['systemg.yaml:7:9 This unfolds to more than 100000 values.'])
  })

  it('refuses a bomb that is made of merges', async () => {
    const levels = Array.from({ length: 30 }, (_, n) => `l${n + 1}: &l${n + 1} {a: {<<: *l${n}}, b: {<<: *l${n}}}`)
    const parsed = await parse(['l0: &l0 {x: 1}', ...levels].join('\n'))
    expect(parsed.problems.map(({ message }) => message)).toEqual(['This unfolds to more than 100000 values.'])
  })

  it('reports an alias without an anchor, and one inside of its own anchor', async () => {
    const parsed = await parse('a: *nope\nb: &b [*b]\nc: 1')
    expect(problemsOf(parsed)).toEqual([
      'systemg.yaml:1:4 There is no anchor `&nope` above this line.',
      'systemg.yaml:2:8 `*b` is inside of what it stands for.',
    ])
  })

  it('reports a merge of something that is no map', async () => {
    expect(problemsOf(await parse('a: {<<: 3}'))).toEqual(['systemg.yaml:1:9 `<<` merges maps, and this is none.'])
  })
})

describe('broken notation', () => {
  it.each<[string, string, string[], unknown]>([
    ['an open bracket', 'a: [x, y\nb: 1\n', ['1:4 This `[` is never closed.'], { b: 1 }],
    [
      'an open bracket over several lines',
      'a:\n  l: [\n    x,\n    y\n  m: 2\nb: 1\n',
      ['2:6 This `[` is never closed.'],
      { a: { m: 2 }, b: 1 },
    ],
    ['an open quote', 'a: "x\nb: 1\n', ['1:4 This `"` is never closed.'], { b: 1 }],
    ['a missing colon', 'a:\n  command ./x\n  n: 1\n', ['2:3 A `:` is missing in this line.'], { a: { n: 1 } }],
    [
      'a missing colon behind a name',
      'a\n  n: 1\nb: 2\n',
      ['1:1 A `:` is missing in this line.'],
      { a: { n: 1 }, b: 2 },
    ],
    ['a colon in a value', 'a: x: y\nb: 1\n', ['1:4 This value holds a colon and a space.'], { b: 1 }],
    ['a tab', 'a:\n\tb: 1\nc: 2\n', ['2:1 This line is indented with a tab.'], { a: null, c: 2 }],
    [
      'a wrong indentation',
      'a:\n    b: 1\n  c: 2\nd: 3\n',
      ['3:3 The indentation of this line fits neither the line above nor a level further out.'],
      { a: { b: 1 }, d: 3 },
    ],
    [
      'a reserved character',
      'a: @x\nb: `y`\nc: 1',
      ["1:4 A value can't start with `@`.", "2:4 A value can't start with a backquote."],
      { c: 1 },
    ],
    ['a schedule', 'a: * * * * *\nb: 1\n', ['1:4 A value that begins with `*` needs quotes.'], { b: 1 }],
    [
      'a schedule in a map',
      'a: { x: */5 * * * * }\nb: 1\n',
      ['1:9 A value that begins with `*` needs quotes.'],
      { b: 1 },
    ],
    ['a merge twice', 'x: {<<: {a: 1}, <<: {b: 2}}', ['1:17 `<<` is there twice.'], { x: { a: 1, b: 2 } }],
    ['a key twice', 'a: 1\nb: 2\na: 3\n', ['3:1 `a` is there twice.'], { a: 3, b: 2 }],
    ['a wrong escape', 'a: "\\d+"\nb: 1', ['1:5 `\\d` means nothing in double quotes.'], { a: '\\d+', b: 1 }],
    ['two documents', 'a: 1\n---\nb: 2\n', ['2:1 A second document begins here.'], { a: 1 }],
    ['an unknown tag', 'a: !secret x\nb: 1', ['1:4 The tag `!secret` is not known.'], { a: 'x', b: 1 }],
    ['a list as a key', '? [x]\n: 1\nb: 1\n', ['1:3 A key must be plain text.'], { '': 1, b: 1 }],
  ])('reports %s and reads the rest', async (_, text, problems, value) => {
    const parsed = await parse(text)
    expect(problemsOf(parsed)).toEqual(problems.map((problem) => `systemg.yaml:${problem}`))
    expect(parsed.value).toEqual(value)
  })

  it('knows what could not be read', async () => {
    const parsed = await parse('a:\n  x: [1\n  y: 2\nb:\n  nothing here\n  z: 1\nc:\n  q: 1\n')
    expect(parsed.unreadable(['a', 'x'])).toBe(true)
    expect(parsed.unreadable(['a', 'y'])).toBe(false)
    expect(parsed.unreadable(['a', 'missing'])).toBe(false)
    expect(parsed.unreadable(['c', 'missing'])).toBe(false)
  })

  it('takes a line that could not be kept for part of the map above it', async () => {
    const parsed = await parse('a:\n  x: 1\n   y: 2\nb:\n  z: 1\n')
    expect(parsed.problems).toHaveLength(1)
    expect(parsed.unreadable(['b', 'missing'])).toBe(false)
  })

  it.each([
    '['.repeat(20_000),
    '{a: '.repeat(2_000),
    '- '.repeat(3_000),
    '"',
    "'",
    '\t',
    '&',
    '*',
    '!',
    '? ',
    ': ',
    '%YAML 3\n---\n',
    '\0',
    '}{'.repeat(500),
    'a: [\n'.repeat(300),
    '\tx\n'.repeat(300),
  ])('survives hostile text %#', async (text) => {
    const parsed = await parse(text)
    expect(parsed.problems.length + Number(parsed.value !== undefined)).toBeGreaterThan(0)
  })

  it('never throws, and every problem has a place in the file', async () => {
    const piece = fc.constantFrom(
      'a',
      ': ',
      '\n',
      '  ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '&x ',
      '*x',
      '!include y',
      '#',
      '|',
      '\t',
      '<<',
      ',',
      '? ',
      '---\n',
      '@',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 40 }), async (pieces) => {
        const text = pieces.join('')
        const lines = text.split('\n').length
        for (const { line, column, endColumn } of (await parse(text)).problems) {
          expect(line).toBeGreaterThanOrEqual(1)
          expect(line).toBeLessThanOrEqual(lines + 1)
          expect(endColumn ?? 0).toBeGreaterThan(column ?? 0)
        }
      }),
      { numRuns: 1_000 },
    )
  })
})

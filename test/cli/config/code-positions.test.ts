import { describe, expect, it } from 'vitest'
import type { Path } from '@systemg/core'
import { codePositions } from '../../../cli/src/config/code-positions.ts'

/** The marked text, as an editor would underline it. */
const marked = (text: string, path: Path, part?: 'key' | 'value', within?: string, file = 'sysg.config.ts') => {
  const place = codePositions(file, text)(path, part, within)
  if (place === undefined) return undefined
  expect(place.file).toBe(file)
  return text.split('\n')[place.line - 1]?.slice(place.column - 1, (place.endColumn ?? 0) - 1)
}

const command: Path = ['services', 'api', 'command']

describe('positions in code', () => {
  it('leads to the value, or the key, or a text inside', () => {
    const text = `import { defineConfig } from 'systemg'
export default defineConfig({
  plugins: [first, { use: 'second', port: 1 }],
  services: {
    api: { "command": 'run \${PORT}' },
    'my.db': {
      replicas: 2,
    },
  },
} satisfies Config)`
    expect(marked(text, command)).toBe("'run ${PORT}'")
    expect(marked(text, command, 'key')).toBe('"command"')
    expect(marked(text, command, 'value', '${PORT}')).toBe('${PORT}')
    expect(marked(text, ['services', 'my.db', 'replicas'])).toBe('2')
    expect(marked(text, ['plugins', 1, 'use'])).toBe("'second'")
    expect(marked(text, ['plugins', 0])).toBe('first')
  })

  it('leads to the key of a value that spans lines', () => {
    expect(marked("export default { services: {\n  api: {\n    command: 'x' } } }", ['services', 'api'])).toBe('api')
  })

  it.each([
    ['a constant', "const config: C = { services: { api: { command: 'x' } } }\nexport default config"],
    ['a constant inside', "const api = { command: 'x' } as const\nexport default { services: { api } }"],
    ['an exported constant', "export const api = { command: 'x' }\nexport default { services: { api } }"],
    ['a function', "export default () => ({ services: { api: { command: 'x' } } })"],
    [
      'an async function',
      "export default defineConfig(async () => {\n  const api = { command: 'x' }\n  return { services: { api } }\n})",
    ],
    ['a named function', "export default function make(): C { return { services: { api: { command: 'x' } } } }"],
    ['a promise', "export default await Promise.resolve({ services: { api: { command: 'x' } } })"],
    ['a spread', "const base = { command: 'x' }\nexport default { services: { api: { ...base, replicas: 2 } } }"],
    ['CommonJS', "module.exports = { services: { api: { command: 'x' } } }"],
    ['what stands last', "export default { services: { api: { command: 'y', command: 'x' } } }"],
  ])('finds it through %s', (_, text) => {
    expect(marked(text, command)).toBe("'x'")
  })

  it.each([
    ['an import', "import api from './api.ts'\nexport default { services: { api } }"],
    ['a computed key', "export default { services: { [name]: { command: 'x' } } }"],
    ['a constant made of itself', 'const config = config\nexport default config'],
    ['no export', 'const config = {}'],
    ['what is no JavaScript', 'export default {'],
  ])('knows nothing behind %s', (_, text) => {
    expect(marked(text, command)).toBeUndefined()
  })

  it('keeps its places where types were, also behind letters of several bytes', () => {
    const text =
      "type Größe = '日本' | '🎉'\nexport default { /* 🎉 */ services: { api: <Größe>{ command: 'x' as Größe } } }".replace(
        '<Größe>',
        '',
      )
    expect(marked(text, command)).toBe("'x'")
  })

  it('reads JavaScript as it is', () => {
    expect(
      marked(
        "#!/usr/bin/env node\nmodule.exports = { services: { api: { command: 'x' } } }",
        command,
        'value',
        undefined,
        'sysg.config.cjs',
      ),
    ).toBe("'x'")
  })
})

/** What is said of the code must be true of it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hookPolicies } from '@systemg/core'
import { describe, expect, it } from 'vitest'
import { referencePages } from '../../docs/generate.ts'
import { errorSections } from '../../docs/generate/errors-page.ts'
import { variables } from '../../docs/generate/found-codes.ts'
import { declaredHooks } from '../../docs/generate/hooks-page.ts'

const docs = fileURLToPath(new URL('../../docs', import.meta.url))
const pages = await referencePages()

describe('the reference', () => {
  it.each([...pages])('%s is what `node --conditions=systemg-source docs/generate.ts` writes', (path, text) => {
    expect(readFileSync(join(docs, path), 'utf8')).toBe(text)
  })

  it('has no page that nobody writes', () => {
    const written = readdirSync(join(docs, 'reference')).map((name) => `reference/${name}`)
    expect(written.sort()).toEqual([...pages.keys()].sort())
  })
})

describe('a hook', () => {
  const hooks = declaredHooks()

  it('is declared for every policy, and has one', () => {
    expect(hooks.map(({ name }) => name).sort()).toEqual(Object.keys(hookPolicies).sort())
  })

  it.each(hooks)('says what it is for, its kind and what an error does: `$name`', ({ name, comment, type }) => {
    const { kind, onError } = hookPolicies[name as keyof typeof hookPolicies]
    const [summary = ''] = comment.split('\n\n')
    const said = /^Kind: (\w+), (\w+)\.[\s\S]*?Error: ([\s\S]+)$/m.exec(comment)
    expect(summary).toMatch(/^[A-Z].{20,}\.$/s)
    expect(said?.slice(1, 3)).toEqual([kind, type.startsWith('Async') ? 'async' : 'sync'])
    expect(/\b(reported|counts as no answer)\b/.test(said?.[3] ?? '')).toBe(onError === 'report')
  })
})

describe('an error code', () => {
  it.each([...errorSections()])('is said to mean something: `%s`', (code, section) => {
    const said = section
      .replace(`## \`${code}\``, '')
      .replaceAll(/Exit code \d+\.|From the .* plugin\./g, '')
      .trim()
    expect(said.length).toBeGreaterThan(10)
    expect(said).not.toMatch(/^‹\w+›$|undefined|\[object/)
  })

  it('that a page speaks of exists', () => {
    const known = new Set(errorSections().keys())
    const named = markdownFiles().flatMap((file) => [...read(file).matchAll(/`(SYSG_[A-Z]+(?:_[A-Z]+)+)`/g)])
    const codes = named.map(([, code = '']) => code).filter((code) => !variables.has(code))
    expect(codes.length).toBeGreaterThan(50)
    for (const code of codes) expect(known, code).toContain(code)
  })
})

const read = (file: string): string => readFileSync(join(docs, file), 'utf8')

const markdownFiles = (): readonly string[] =>
  readdirSync(docs, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.md') && !name.includes('node_modules'),
  )

describe('a link', () => {
  it.each(markdownFiles())('in %s leads somewhere', (file) => {
    for (const [, target = ''] of read(file).matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      expect(existsSync(resolve(docs, dirname(file), target)), target).toBe(true)
    }
  })
})

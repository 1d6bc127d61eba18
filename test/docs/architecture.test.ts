/** The tables of files that people find their way by name every file, and no other. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const repository = join(import.meta.dirname, '../..')

const filesIn = (folder: string): readonly string[] =>
  readdirSync(join(repository, folder)).filter((name) => name.endsWith('.ts') && name !== 'index.ts')

it('docs/architecture.md has every file of the core', () => {
  const [, table = ''] = readFileSync(join(repository, 'docs/architecture.md'), 'utf8').split('## The core')
  const rows = table.split('\n').filter((line) => line.startsWith('| `'))
  const named = rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  )
  expect(named.filter((name) => !existsSync(join(repository, 'core/src', name)))).toEqual([])
  expect(filesIn('core/src').filter((name) => !named.includes(name))).toEqual([])
  expect(new Set(named).size).toBe(named.length)
})

it.each(['cli/src/host', 'core/src/operations'])('the README of %s has every file of its folder', (folder) => {
  const readme = readFileSync(join(repository, folder, 'README.md'), 'utf8')
  const table = readme.split('\n').filter((line) => line.startsWith('|'))
  const named = [...table.join().matchAll(/`([a-z-]+)`/g)].map(([, name = '']) => `${name}.ts`)
  expect(filesIn(folder).filter((name) => !named.includes(name))).toEqual([])
})

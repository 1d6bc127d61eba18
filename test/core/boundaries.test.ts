/** Who may import whom, file by file: what the linter's lists of forbidden names cannot say, an allowance can. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
    .sort()

const importsOf = (file: string): readonly string[] =>
  ts.preProcessFile(readFileSync(join(root, file), 'utf8')).importedFiles.map(({ fileName }) => fileName)

const dependenciesOf = (workspace: string): readonly string[] => {
  const { dependencies = {} } = JSON.parse(readFileSync(join(root, workspace, 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>
  }
  return Object.keys(dependencies)
}

const isRelative = (name: string) => name.startsWith('.')
const isBelow = (folder: string, path: string) => !relative(folder, path).startsWith('..')
const target = (file: string, name: string) => relative(root, resolve(root, dirname(file), name))
const packageOf = (name: string) =>
  name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/')

describe('the core', () => {
  const files = filesBelow('core/src')
  const allowed = dependenciesOf('core')

  it('has files, so that what follows says something', () => expect(files.length).toBeGreaterThan(50))

  it.each(files)('imports only itself and its dependencies: %s', (file) => {
    for (const name of importsOf(file)) {
      if (isRelative(name)) expect(isBelow('core/src', target(file, name)), name).toBe(true)
      else expect(allowed, name).toContain(packageOf(name))
    }
  })

  it('does not bring the simulation or the test rig along', () => {
    const reached = new Set(['core/src/index.ts'])
    for (const file of reached) for (const name of importsOf(file).filter(isRelative)) reached.add(target(file, name))
    expect([...reached].filter((file) => /core\/src\/(simulated|testing)\//.test(file))).toEqual([])
    expect(reached.size).toBeGreaterThan(30)
  })
})

describe('a plugin', () => {
  const files = filesBelow('plugins/src').filter((file) => file !== 'plugins/src/index.ts')
  const allowed = [...dependenciesOf('plugins'), '@systemg/core']

  it.each(files)('imports the core, its dependencies and its own folder: %s', (file) => {
    const folder = file.split('/').slice(0, 3).join('/')
    for (const name of importsOf(file)) {
      if (isRelative(name)) expect(isBelow(folder, target(file, name)), name).toBe(true)
      else if (name.startsWith('node:')) expect(file).toMatch(/\/node\.ts$/)
      else expect(allowed, name).toContain(packageOf(name))
    }
  })
})

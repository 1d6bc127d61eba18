/** Every plugin can be imported by itself. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const plugins = join(import.meta.dirname, '../../plugins')

it('every folder of plugins/src is an export of @systemg/plugins', () => {
  const { exports } = JSON.parse(readFileSync(join(plugins, 'package.json'), 'utf8')) as {
    exports: Readonly<Record<string, unknown>>
  }
  const folders = readdirSync(join(plugins, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const missing = folders.filter(({ name }) => !Object.hasOwn(exports, `./${name}`)).map(({ name }) => name)
  expect(missing).toEqual([])
})

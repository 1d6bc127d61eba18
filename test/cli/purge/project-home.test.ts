/** Where a project's config is, by the links it left. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { writeLink } from '../../../cli/src/project/locate.ts'
import { linkOf, projectPaths } from '../../../cli/src/project/state-root.ts'
import { projectHome, removeLinks } from '../../../cli/src/purge/project-home.ts'
import { instanceRecord, record } from '../commands/recorded.ts'
import { removeFolder, testFolder } from '../host/node-host-for-tests.ts'

const setUp = () => {
  const folder = testFolder()
  onTestFinished(() => removeFolder(folder))
  const root = join(folder, 'state')
  const file = (name: string): string => {
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, '')
    return path
  }
  return { folder, root, file, paths: projectPaths(root, 'shop') }
}

it('is every config that leads there and exists', () => {
  const { root, folder, file, paths } = setUp()
  const here = file('with % and %2F/systemg.yaml')
  writeLink(root, here, 'shop')
  writeLink(root, join(folder, 'gone.yaml'), 'shop')
  writeLink(root, file('other.yaml'), 'other')
  expect(projectHome(root, paths)).toEqual({ configs: [here], config: here, isGone: false })
})

it('is gone with its last config, whose path is still known', () => {
  const { root, folder, paths } = setUp()
  const path = join(folder, 'gone.yaml')
  writeLink(root, path, 'shop')
  expect(projectHome(root, paths)).toEqual({ configs: [], config: path, isGone: true })
})

it('may be there when the path was too long for a name', () => {
  const { root, folder, paths } = setUp()
  writeLink(root, join(folder, 'x'.repeat(220)), 'shop')
  expect(projectHome(root, paths)).toEqual({ configs: [], config: null, isGone: false })
})

it('without a config is where its programs run', () => {
  const { root, folder, paths } = setUp()
  const runsIn = (path: string) => {
    const service = { name: 'job', working_dir: path }
    record(paths, { instances: { 'job-1': instanceRecord('job', { pid: 1, startTime: 1 }, { service }) } })
    return projectHome(root, paths)
  }
  expect(runsIn(folder)).toEqual({ configs: [], config: null, isGone: false })
  expect(runsIn(join(folder, 'gone'))).toEqual({ configs: [], config: null, isGone: true })
})

it('is forgotten alone: links of other projects stay', () => {
  const { root, file } = setUp()
  const [one, other] = [file('one.yaml'), file('other.yaml')]
  writeLink(root, one, 'shop')
  writeLink(root, other, 'other')
  removeLinks(root, 'shop')
  expect([existsSync(linkOf(root, one)), existsSync(linkOf(root, other))]).toEqual([false, true])
})

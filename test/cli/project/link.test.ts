import { mkdtempSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { locate, writeLink } from '../../../cli/src/project/locate.ts'
import { linkOf } from '../../../cli/src/project/state-root.ts'

describe('the link from a config to its project', () => {
  let folder = ''
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'sysg-link-')))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('leads a command to the project, and is named after the config', () => {
    const config = join(folder, 'systemg.yaml')
    writeFileSync(config, '')
    const root = join(folder, 'state')
    writeLink(root, config, 'shop')
    const globals = { config: undefined, project: undefined, sys: false }
    expect(locate({ globals, env: { SYSG_HOME: root }, cwd: folder }).paths.id).toBe('shop')
    expect(readdirSync(join(root, 'by-config'))).toEqual([config.replaceAll('/', '%2F')])
  })

  it('is not written again when it leads there already: a full disk keeps no system down that ran before', () => {
    writeLink(folder, '/app/systemg.yaml', 'shop')
    const { ino } = statSync(linkOf(folder, '/app/systemg.yaml'))
    writeLink(folder, '/app/systemg.yaml', 'shop')
    expect(statSync(linkOf(folder, '/app/systemg.yaml')).ino).toBe(ino)
  })

  it('differs for paths that look alike', () => {
    const paths = ['/a/b', '/a%2Fb', '/a%252Fb', '/a%25/b', `/${'x'.repeat(300)}`, `/${'x'.repeat(301)}`]
    expect(new Set(paths.map((path) => linkOf('/state', path))).size).toBe(paths.length)
  })

  it('has a name that a folder can hold, however long the path is', () => {
    const path = `/${'päth/'.repeat(100)}systemg.yaml`
    writeLink(folder, path, 'shop')
    expect(Buffer.byteLength(basename(linkOf(folder, path)))).toBeLessThan(255)
  })
})

import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { command } from '../../../cli/src/commands/plugins.ts'
import { version } from '../../../cli/src/version.ts'
import { runCommand } from '../config/run-command.ts'
import { tempFolder } from '../config/temp-folder.ts'

const create = (cwd: string, ...names: readonly string[]) =>
  runCommand(command, { cwd, positionals: ['new', ...names] })

describe('sysg plugins new', () => {
  it.each(['quiet-hours', 'systemg-plugin-quiet-hours'])(
    'writes a package for %s and says what is next',
    async (name) => {
      const cwd = tempFolder()
      const { code, out, err } = await create(cwd, name)
      expect([code, out]).toEqual([0, 'Wrote systemg-plugin-quiet-hours\n'])
      expect(err).toContain('cd systemg-plugin-quiet-hours && npm install && npm test')
      const folder = join(cwd, 'systemg-plugin-quiet-hours')
      expect(readdirSync(cwd)).toEqual(['systemg-plugin-quiet-hours'])
      expect(readdirSync(folder).sort()).toEqual([
        '.gitignore',
        'README.md',
        'package.json',
        'src',
        'test',
        'tsconfig.build.json',
        'tsconfig.json',
      ])
      expect(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))).toMatchObject({
        name: 'systemg-plugin-quiet-hours',
        keywords: ['systemg-plugin'],
        peerDependencies: { '@systemg/core': `^${version}` },
      })
      expect(readFileSync(join(folder, 'src/index.ts'), 'utf8')).toContain('QUIET_HOURS_MESSAGE')
      for (const path of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        if (path.isFile()) expect(readFileSync(join(path.parentPath, path.name), 'utf8')).not.toMatch(/__\w+__/)
      }
    },
  )

  it.each(['Quiet', 'quiet_hours', '-x', 'a--b', '../up', '', '1st', 'x'.repeat(80)])(
    'refuses the name %j',
    async (name) => {
      const cwd = tempFolder()
      const { code, err } = await create(cwd, name)
      expect([code, err]).toEqual([1, expect.stringContaining('SYSG_PLUGIN_NEW_NAME')])
      expect(readdirSync(cwd)).toEqual([])
    },
  )

  it('refuses the name of a plugin that is always there', async () => {
    expect((await create(tempFolder(), 'cron')).err).toMatch(/a plugin of systemg has it[\s\S]*SYSG_PLUGIN_NEW_NAME/)
  })

  it('replaces nothing: neither a folder, an empty one, nor a link', async () => {
    const cwd = tempFolder({ 'systemg-plugin-full/file': 'mine' })
    mkdirSync(join(cwd, 'systemg-plugin-empty'))
    symlinkSync('nowhere', join(cwd, 'systemg-plugin-link'))
    for (const name of ['full', 'empty', 'link']) {
      expect((await create(cwd, name)).err).toContain('SYSG_FOLDER_EXISTS')
    }
    expect(readFileSync(join(cwd, 'systemg-plugin-full/file'), 'utf8')).toBe('mine')
    expect(existsSync(join(cwd, 'systemg-plugin-empty/package.json'))).toBe(false)
  })

  it.each([[[]], [['a', 'b']]])('takes one name, not %j', async (names) => {
    expect(await create(tempFolder(), ...names)).toMatchObject({ code: 2 })
  })
})

import { describe, expect, it } from 'vitest'
import { requestOf } from '../../../plugins/src/watch/paths.ts'

const place = { folder: '/srv', own: ['/srv/state'] }

const request = (paths: readonly string[], ignore: readonly string[] = []) =>
  requestOf({ paths, ignore, debounce: 200 }, place)

/** Whether a change of the file is told: neither it nor a folder above it, below the root, is ignored. */
const tells = (paths: readonly string[], file: string, ignore: readonly string[] = []): boolean => {
  const { roots, ignores } = request(paths, ignore)
  const root = roots.find((one) => file === one || file.startsWith(one === '/' ? '/' : `${one}/`))
  if (root === undefined) return false
  const parts = file.slice(root.length).split('/').filter(Boolean)
  const folders = parts.slice(0, -1).map((_, at) => [root, ...parts.slice(0, at + 1)].join('/').replace('//', '/'))
  return !folders.some((folder) => ignores(folder, true)) && !ignores(file, false)
}

describe('what is looked at', () => {
  it.each([
    [['src'], ['/srv/src']],
    [
      ['./src/', '../shared/', '/etc/app.conf'],
      ['/srv/src', '/shared', '/etc/app.conf'],
    ],
    [
      ['src/**/*.ts', 'src/*.js', 'src/lib/?.c'],
      ['/srv/src', '/srv/src/lib'],
    ],
    [['*.ts', '.'], ['/srv']],
    [['/*.conf'], ['/']],
  ])('for %j is %j', (paths, roots) => {
    expect(request(paths).roots).toEqual(roots)
  })
})

describe('a change', () => {
  it.each<[told: boolean, paths: readonly string[], file: string, ignore?: readonly string[]]>([
    [true, ['src'], '/srv/src/a.js'],
    [true, ['src'], '/srv/src/deep/er/a.js'],
    [false, ['src'], '/srv/srcs/a.js'],
    [true, ['server.js'], '/srv/server.js'],
    [true, ['.'], '/srv/a.js'],
    [true, ['*.ts'], '/srv/a.ts'],
    [false, ['*.ts'], '/srv/src/a.ts'],
    [true, ['**/*.ts'], '/srv/src/a.ts'],
    [true, ['src/**/*.ts'], '/srv/src/a.ts'],
    [true, ['src/**/*.ts'], '/srv/src/x/y/a.ts'],
    [false, ['src/**/*.ts'], '/srv/src/a.js'],
    [true, ['pages/[id].js'], '/srv/pages/[id].js'],
    [true, ['pages/[id]*'], '/srv/pages/[id].js'],
    [false, ['pages/[id]*'], '/srv/pages/i.js'],
    [true, ['/etc/app.conf'], '/etc/app.conf'],
    [true, ['../shared'], '/shared/a.js'],
    // Never worth a restart.
    [false, ['.'], '/srv/.git/index'],
    [false, ['.'], '/srv/packages/a/node_modules/b/c.js'],
    [false, ['src'], '/srv/src/.a.js.swp'],
    [false, ['src'], '/srv/src/a.js~'],
    [false, ['src'], '/srv/src/.DS_Store'],
    [false, ['.'], '/srv/state/history.db'],
    [false, ['state'], '/srv/state/history.db'],
    // Unless it is named.
    [true, ['node_modules/mine'], '/srv/node_modules/mine/index.js'],
    // Ignored by the config.
    [false, ['src'], '/srv/src/generated/a.js', ['generated']],
    [false, ['src'], '/srv/src/generated/a.js', ['src/generated/']],
    [false, ['.'], '/srv/dist/a.js', ['./dist']],
    [true, ['.'], '/srv/src/dist/a.js', ['./dist']],
    [false, ['src'], '/srv/src/a.test.js', ['*.test.js']],
    [true, ['src'], '/srv/src/keep.test.js', ['*.test.js', '!keep.test.js']],
    [false, ['../shared'], '/shared/tmp/a.js', ['tmp']],
    [true, ['src', 'lib'], '/srv/lib/a.js', ['src']],
  ])('is told: %j, for %j, of %j, without %j', (told, paths, file, ignore = []) => {
    expect(tells(paths, file, ignore)).toBe(told)
  })
})

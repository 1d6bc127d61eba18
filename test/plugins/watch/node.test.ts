/** Real files, and what editors and people do to them. */
import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { watchFiles } from '../../../plugins/src/watch/node.ts'
import { requestOf } from '../../../plugins/src/watch/paths.ts'

/** A folder in which everything is old, and what is told of it. */
const watching = async (paths: readonly string[], files: readonly string[], prepare?: (folder: string) => void) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sysg-watch-')))
  const write = (path: string, text = 'x') => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  const old = new Date(Date.now() - 60_000)
  for (const path of files) {
    write(path)
    utimesSync(join(folder, path), old, old)
  }
  prepare?.(folder)
  const told: string[] = []
  const failures: unknown[] = []
  const request = requestOf({ paths: [...paths, 'probe'], ignore: ['ignored'], debounce: 0 }, { folder, own: [] })
  const open = watchFiles(request, {
    onChange: (path) => void told.push(path.slice(folder.length + 1)),
    onFailure: (failure) => void failures.push(failure),
  })
  onTestFinished(async () => {
    await open.close()
    rmSync(folder, { recursive: true })
    expect(failures).toEqual([])
  })
  let probes = 0
  const untilTold = (path: string) => vi.waitFor(() => expect(told).toContain(path), { timeout: 10_000, interval: 10 })
  /** Everything that happened before has been told: a change behind it has been. */
  const caughtUp = async () => {
    probes += 1
    const from = told.length
    await vi.waitFor(
      () => {
        write('probe', `${probes} ${Math.random()}`)
        expect(told.slice(from)).toContain('probe')
      },
      { timeout: 10_000, interval: 50 },
    )
  }
  await caughtUp()
  return {
    folder,
    write,
    untilTold,
    caughtUp,
    /** What was told, the probes left out. */
    told: () => told.filter((path) => path !== 'probe'),
    forget: () => void told.splice(0),
  }
}

it('tells of files that are written, made and removed, in folders old and new, and of no others', async () => {
  const files = await watching(['src'], ['src/a.js', 'src/deep/b.js', 'src/ignored/c.js', 'other/d.js'])
  expect(files.told()).toEqual([])
  files.write('src/a.js', 'changed')
  await files.untilTold('src/a.js')
  files.write('src/new/e.js')
  await files.untilTold('src/new/e.js')
  rmSync(join(files.folder, 'src/deep/b.js'))
  await files.untilTold('src/deep/b.js')
  files.write('src/ignored/c.js', 'changed')
  files.write('src/.a.js.swp')
  files.write('src/node_modules/x/y.js')
  files.write('other/d.js', 'changed')
  await files.caughtUp()
  expect(new Set(files.told())).toEqual(new Set(['src/a.js', 'src/new/e.js', 'src/deep/b.js']))
})

it('tells of a file that an editor saves by renaming another one over it, again and again', async () => {
  const files = await watching(['server.js'], ['server.js'])
  for (let n = 0; n < 3; n += 1) {
    files.forget()
    files.write('server.js.new', `${n}`)
    renameSync(join(files.folder, 'server.js.new'), join(files.folder, 'server.js'))
    await files.untilTold('server.js')
  }
})

it('tells of a path that does not exist yet, however deep', async () => {
  const files = await watching(['build/out/app.js'], [])
  files.write('build/out/app.js')
  await files.untilTold('build/out/app.js')
  await files.caughtUp()
  files.forget()
  files.write('build/out/app.js', 'changed')
  await files.untilTold('build/out/app.js')
})

it('goes on with a folder that was removed and made again', async () => {
  const files = await watching(['dist'], ['dist/app.js', 'dist/lib/a.js'])
  for (let n = 0; n < 2; n += 1) {
    rmSync(join(files.folder, 'dist'), { recursive: true })
    await files.untilTold('dist/app.js')
    await files.caughtUp()
    files.forget()
    files.write('dist/app.js', `${n}`)
    await files.untilTold('dist/app.js')
    await files.caughtUp()
    files.forget()
    files.write('dist/app.js', `${n} changed`)
    await files.untilTold('dist/app.js')
  }
})

it('follows a link, also to where it leads later, and is not caught in one that leads back', async () => {
  const files = await watching(['current', 'src'], ['releases/1/a.js', 'releases/2/a.js', 'src/a.js'], (folder) => {
    symlinkSync('releases/1', join(folder, 'current'))
    symlinkSync('.', join(folder, 'src/loop'))
  })
  files.write('releases/1/a.js', 'changed')
  await files.untilTold('current/a.js')
  symlinkSync('releases/2', join(files.folder, 'next'))
  renameSync(join(files.folder, 'next'), join(files.folder, 'current'))
  await files.untilTold('current')
  await files.caughtUp()
  files.forget()
  await vi.waitFor(
    () => {
      files.write('releases/2/a.js', `${Math.random()}`)
      expect(files.told()).toContain('current/a.js')
    },
    { timeout: 10_000, interval: 100 },
  )
  files.write('src/a.js', 'changed')
  await files.untilTold('src/a.js')
})

it('tells of what is written while it still looks around', async () => {
  const names = Array.from({ length: 500 }, (_, n) => `src/${n % 20}/${n}.js`)
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sysg-watch-')))
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), '')
    utimesSync(join(folder, name), 0, 0)
  }
  const told = new Set<string>()
  const request = requestOf({ paths: ['src'], ignore: [], debounce: 0 }, { folder, own: [] })
  const open = watchFiles(request, { onChange: (path) => told.add(path), onFailure: () => undefined })
  const soon = Date.now() / 1_000 + 1
  writeFileSync(join(folder, 'src/7/7.js'), 'at once')
  utimesSync(join(folder, 'src/7/7.js'), soon, soon)
  await vi.waitFor(() => expect([...told]).toEqual([join(folder, 'src/7/7.js')]), { timeout: 10_000 })
  await open.close()
  rmSync(folder, { recursive: true })
})

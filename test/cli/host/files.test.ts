import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { nodeClock } from '../../../cli/src/host/clock.ts'
import { nodeFiles as files } from '../../../cli/src/host/files.ts'
import { testFolder } from './node-host-for-tests.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)

it('appends to private files in private folders, and knows their size', () => {
  const path = join(testFolder(), 'logs/api.v2/0/stdout.log')
  const file = files.append(path)
  file.write(bytes('one\n'))
  file.write(bytes('two'))
  expect(file.size).toBe(7)
  file.close()
  const again = files.append(path)
  expect(again.size).toBe(7)
  again.write(bytes('!'))
  again.close()
  expect(readFileSync(path, 'utf8')).toBe('one\ntwo!')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700)
})

it('reports a full disk and stays usable', () => {
  const path = join(testFolder(), 'full')
  symlinkSync('/dev/full', path)
  const file = files.append(path)
  for (let round = 0; round < 2; round++) {
    expect(() => file.write(bytes('lost'))).toThrow(expect.objectContaining({ name: 'HostError', errno: 'ENOSPC' }))
    expect(file.size).toBe(0)
  }
  file.close()
  expect(() => file.write(bytes('x'))).toThrow(expect.objectContaining({ errno: 'EBADF' }))
})

it('reads ranges, and less at the end', async () => {
  const path = join(testFolder(), 'file')
  writeFileSync(path, '0123456789')
  const text = async (start: number, end: number) => Buffer.from(await files.read(path, start, end)).toString()
  expect(await text(0, 4)).toBe('0123')
  expect(await text(8, 100)).toBe('89')
  expect(await text(3, Infinity)).toBe('3456789')
  expect(await text(20, 30)).toBe('')
  expect(await text(5, 2)).toBe('')
})

it('takes a missing file for an answer and everything else for a failure', async () => {
  const folder = testFolder()
  const missing = join(folder, 'no/such/file')
  expect(await files.readText(missing)).toBeUndefined()
  expect(await files.size(missing)).toBeUndefined()
  expect(await files.read(missing, 0, 10)).toHaveLength(0)
  expect(await files.list(missing)).toEqual([])
  files.remove(missing)
  await expect(files.readText(folder)).rejects.toMatchObject({ name: 'HostError', errno: 'EISDIR' })
  expect(() => files.rename(missing, join(folder, 'x'))).toThrow(expect.objectContaining({ errno: 'ENOENT' }))
})

it('lists, renames and removes', async () => {
  const folder = testFolder()
  for (const name of ['b', 'a.1', 'a']) writeFileSync(join(folder, name), name)
  files.rename(join(folder, 'b'), join(folder, 'c'))
  files.remove(join(folder, 'a'))
  expect(await files.list(folder)).toEqual(['a.1', 'c'])
  expect(existsSync(join(folder, 'a'))).toBe(false)
})

it('never fires a timer early, and not at all when it is cancelled or years away', async () => {
  const startMs = nodeClock.monotonic()
  let isFired = false
  const cancelFar = nodeClock.timer(2 ** 40, () => (isFired = true))
  const cancel = nodeClock.timer(1, () => (isFired = true))
  cancel()
  await new Promise<void>((resolve) => nodeClock.timer(10.5, resolve))
  expect(nodeClock.monotonic() - startMs).toBeGreaterThanOrEqual(10.5)
  expect(isFired).toBe(false)
  cancelFar()
})

import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HostError } from '@systemg/core'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { makeStateFolder, stateFailure } from '../../../cli/src/supervisor/state-folder.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sysg-state-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

it('is made for its owner alone, however deep', () => {
  makeStateFolder(join(folder, 'a', 'b'))
  expect(statSync(join(folder, 'a')).mode & 0o777).toBe(0o700)
})

it('that cannot be made is named, with what is in its way', () => {
  writeFileSync(join(folder, 'file'), '')
  expect(() => makeStateFolder(join(folder, 'file', 'shop', 'run'))).toThrow(
    expect.objectContaining({
      code: 'SYSG_STATE_FOLDER',
      message: `The state folder ${folder}/file/shop/run can't be used: make ${folder}/file/shop: not a directory.`,
    }),
  )
})

it('that Linux keeps for itself is named, too', () => {
  expect(() => makeStateFolder('/proc/1/shop')).toThrow(expect.objectContaining({ code: 'SYSG_STATE_FOLDER' }))
})

it('is blamed for what the disk refuses, not systemg', () => {
  const refused = new HostError('ENOSPC', 'state.db: database or disk is full')
  expect(stateFailure('/state', refused)).toMatchObject({
    message: "The state folder /state can't be used: state.db: database or disk is full.",
  })
  const bug = new TypeError('x is undefined')
  expect(stateFailure('/state', bug)).toBe(bug)
})

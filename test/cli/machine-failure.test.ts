import { mkdtempSync, readFileSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HostError } from '@systemg/core'
import { describe, expect, it } from 'vitest'
import { machineFailure } from '../../cli/src/machine-failure.ts'

const thrownBy = (body: () => unknown): unknown => {
  try {
    body()
  } catch (thrown) {
    return thrown
  }
  throw new Error('it threw nothing')
}

const systemError = (code: string) =>
  Object.assign(new Error(`${code}: it went wrong, write`), { code, syscall: 'write' })

describe('what the machine refused', () => {
  it('is told with what would help, when the host says so', () => {
    const failure = machineFailure(new HostError('EMFILE', 'open /x: too many open files.'))
    expect(failure).toMatchObject({ code: 'SYSG_MACHINE', message: 'open /x: too many open files (EMFILE).' })
    expect(failure?.hint).toMatch(/ulimit -n.*docs\/guide\/machine\.md/)
  })

  it('is told of what Node throws when a system call fails', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sysg-machine-'))
    const failure = machineFailure(thrownBy(() => readFileSync(folder)))
    rmdirSync(folder)
    expect(failure?.message).toBe('EISDIR: illegal operation on a directory, read (EISDIR).')
  })

  it.each([
    ['ENOSPC', 'Free some space'],
    ['EDQUOT', 'quota'],
    ['EROFS', 'read-only'],
    ['EACCES', 'SYSG_HOME'],
    ['ENFILE', 'fs.file-max'],
    ['EAGAIN', 'ulimit -u'],
    ['ENOMEM', 'out of memory'],
    ['EXYZ', 'The system refused it.'],
  ])('%s has a remedy', (code, words) => {
    expect(machineFailure(systemError(code))?.hint).toContain(words)
  })
})

describe('is not the machine’s refusal', () => {
  it.each<[string, unknown]>([
    ['a bug', new TypeError('x is not a function')],
    ['an error with a code that is not an errno', Object.assign(new Error('x'), { code: 'ERR_X', syscall: 'read' })],
    ['an error with an errno that no system call gave', Object.assign(new Error('x'), { code: 'ENOENT' })],
    ['what is no error', 'ENOSPC'],
    ['nothing', undefined],
  ])('%s', (_, thrown) => {
    expect(machineFailure(thrown)).toBeUndefined()
  })
})

/** The flags of Node that a supervisor runs with. */
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { supervisorFlags } from '../../../cli/src/supervisor/daemon.ts'

/** Compiles something with what Node compiled without flags; says whether V8 refused that. */
const refuses = (compiled: string, flags: readonly string[]): boolean =>
  execFileSync(
    process.execPath,
    [...flags, '-p', `new vm.Script('() => 1', { cachedData: Buffer.from('${compiled}', 'hex') }).cachedDataRejected`],
    { encoding: 'utf8' },
  ) === 'true\n'

describe('the flags of a supervisor', () => {
  const compiled = execFileSync(
    process.execPath,
    ['-p', "new vm.Script('() => 1').createCachedData().toString('hex')"],
    {
      encoding: 'utf8',
    },
  ).trim()

  it('leave Node what it has compiled of itself, which it would compile again while nobody is supervised', () => {
    expect(refuses(compiled, ['--lite-mode'])).toBe(true)
    expect(refuses(compiled, supervisorFlags())).toBe(false)
  })

  it('are the same for the one that a supervisor starts', () => {
    const before = process.execArgv
    try {
      process.execArgv = [...supervisorFlags()]
      expect(supervisorFlags()).toEqual(process.execArgv)
    } finally {
      process.execArgv = before
    }
  })
})

import { maxReplicas, SysgError, type Outcome } from '@systemg/core'
import { expect, describe, it } from 'vitest'
import { command } from '../../../cli/src/commands/scale.ts'
import { run, stateRoot } from './fake-supervisor.ts'

const fine: Outcome = { ok: true, problems: [], warnings: [] }

describe('sysg scale', () => {
  it('sends every number at once', async () => {
    await using home = stateRoot()
    const { calls } = await home.supervise({ scale: () => fine })
    const result = await run(home.root, command, 'scale', ['api=4', 'web.blue=0', '-s', 'x=12'])
    expect(result).toMatchObject({ exitCode: 0, stdout: '', stderr: '' })
    const replicas = { api: 4, 'web.blue': 0, x: 12 }
    expect(calls).toEqual([{ method: 'scale', params: { replicas, wait: true } }])
  })

  it('need not wait, and tells the outcome as JSON', async () => {
    await using home = stateRoot()
    const { calls } = await home.supervise({ scale: () => fine })
    const { stdout } = await run(home.root, command, 'scale', ['api=4', '--no-wait', '--json'])
    expect(JSON.parse(stdout)).toEqual(fine)
    expect(calls[0]?.params).toEqual({ replicas: { api: 4 }, wait: false })
  })

  it.each([
    [[], 'Say which service and how many: `sysg scale api=4`.'],
    [['api'], '`api` does not say how many: write `api=4`.'],
    [['api', '4'], '`api` does not say how many: write `api=4`.'],
    [['api='], '`api=` does not say how many: write `api=4`.'],
    [['=4'], '`=4` names no service: write `api=4`.'],
    [['api=x'], '`api=x`: how many is a whole number from 0, not `x`.'],
    [['api=-1'], '`api=-1`: how many is a whole number from 0, not `-1`.'],
    [['api=1.5'], '`api=1.5`: how many is a whole number from 0, not `1.5`.'],
    [['api=4', 'api=5'], '`api` is named twice.'],
  ])('says what is wrong with %j', async (words, message) => {
    await using home = stateRoot()
    await home.supervise({ scale: () => fine })
    await expect(run(home.root, command, 'scale', words)).rejects.toMatchObject({ code: 'SYSG_USAGE', message })
  })

  it('passes on what the supervisor refuses', async () => {
    await using home = stateRoot()
    await home.supervise({
      scale: () => {
        throw new SysgError('SYSG_SCALE_COUNT', { service: 'api', replicas: 5_000, max: maxReplicas })
      },
    })
    await expect(run(home.root, command, 'scale', ['api=5000'])).rejects.toMatchObject({
      code: 'SYSG_SCALE_COUNT',
      message: "`api` can't have 5000 replicas.",
    })
  })

  it('needs a supervisor', async () => {
    await using home = stateRoot()
    await expect(run(home.root, command, 'scale', ['api=4'])).rejects.toMatchObject({ code: 'SYSG_NO_SUPERVISOR' })
  })
})

/** How a new supervisor takes up what runs: nobody is supervised meanwhile, so it does nothing that need not be done. */
import { definePlugin, type JournalEntry } from '@systemg/core'
import { Simulation, simulate } from '@systemg/core/testing'
import { expect, it } from 'vitest'
import { remembers } from '../simulation/plugins.ts'

const services = { db: { command: 'x' }, api: { command: 'x', replicas: 2, depends_on: ['db'] } }

/** Tells what is to be remembered. */
const writesTo = (written: JournalEntry[]) =>
  definePlugin({
    name: 'writes',
    setup: ({ hooks }) => hooks.journal.tap('writes', (entry) => void written.push(entry)),
  })

it('what is recorded of an instance, and stays so, is not recorded again', async () => {
  const written: JournalEntry[] = []
  await using sim = await simulate([remembers(), writesTo(written)], services)
  sim.crash()
  expect(written.splice(0).map(({ kind }) => kind)).toContain('instances')
  await sim.boot()
  expect(sim.states).toEqual({ db: 'running', api: 'running' })
  expect(written).toEqual([])
})

it('one that was not ready yet is recorded when it is', async () => {
  const written: JournalEntry[] = []
  await using sim = await Simulation.create([remembers(), writesTo(written)], {
    api: { command: 'x', startup_grace: '1m' },
  })
  await sim.boot()
  void sim.system.start()
  await sim.until(() => sim.service('api').state === 'starting' && sim.service('api').pids.length === 1)
  sim.crash()
  written.splice(0)
  await sim.boot()
  expect(sim.states).toEqual({ api: 'starting' })
  await sim.clock.advance(60_000)
  expect(written).toMatchObject([{ kind: 'instances', changed: [{ id: 'api-1', wasReady: true }] }])
})

it('a service is looked at when all has been taken up: of one with replicas it is never told that some are missing', async () => {
  await using sim = await simulate([remembers()], services)
  sim.crash()
  await sim.boot()
  const booted = sim.events.slice(sim.events.findLastIndex(({ type }) => type === 'system.booting'))
  const told = booted.filter(({ service, type }) => service === 'api' && type.startsWith('service.'))
  expect(told.map(({ type, data }) => [type, data['reason'] ?? null])).toEqual([
    ['service.declared', null],
    ['service.ready', null],
  ])
})

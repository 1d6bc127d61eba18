/** Random schedules under random misfortune: one run at a time, none twice, each accounted for. */
import { cron, restart, store } from '@systemg/plugins'
import { exitsAfter, ignoresSigterm, stopsAfter } from '@systemg/core/simulated'
import { simulate, type Simulation } from '@systemg/core/testing'
import fc from 'fast-check'
import { expect, it } from 'vitest'

const runs = Number(process.env['SYSG_SIM_RUNS'] ?? 300)

const kinds = [
  'nothing',
  'nothing',
  'nothing',
  'start',
  'stop',
  'restart',
  'kill',
  'crash',
  'crashAndWait',
  'forward',
  'dbDies',
] as const

const actions = fc.array(
  fc.record({ kind: fc.constantFrom(...kinds), thenMs: fc.constantFrom(0, 40, 700, 1_000, 3_300, 12_000) }),
  { minLength: 1, maxLength: 12 },
)

const jobs = fc.record({
  expression: fc.constantFrom('* * * * * *', '*/2 * * * * *', '*/7 * * * * *', '* * * * *'),
  overlap: fc.constantFrom('skip' as const, 'queue' as const, 'replace' as const),
  catch_up: fc.boolean(),
  timeout: fc.constantFrom(undefined, '1s', '4s'),
  needsDb: fc.boolean(),
  program: fc.constantFrom(
    exitsAfter(0),
    exitsAfter(300, 3),
    exitsAfter(2_500),
    exitsAfter(20_000),
    ignoresSigterm(),
    stopsAfter(900),
  ),
})

type Kind = (typeof kinds)[number]

const act = async (sim: Simulation, kind: Kind, commands: Promise<unknown>[]): Promise<void> => {
  const of = (promise: Promise<unknown>) => void commands.push(promise.catch(() => undefined))
  const [pid] = sim.service('job').pids
  const [db] = sim.service('db').pids
  if (kind === 'start') of(sim.system.start({ names: ['job'] }))
  else if (kind === 'stop') of(sim.system.stop(['job']))
  else if (kind === 'restart') of(sim.system.restart({ names: ['job'] }))
  else if (kind === 'kill' && pid !== undefined) sim.world.processes.kill(pid, 'SIGKILL')
  else if (kind === 'forward') sim.world.jump(90_000)
  else if (kind === 'dbDies' && db !== undefined) sim.world.processes.exit(db, 1)
  else if (kind === 'crash' || kind === 'crashAndWait') {
    sim.crash()
    // Whoever had asked gets no answer any more.
    commands.length = 0
    await sim.clock.advance(kind === 'crash' ? 300 : 100_000)
    await sim.boot()
    await sim.finish(sim.system.resume())
  }
}

it(`keeps its promises in ${runs} random lives of a scheduled service`, async () => {
  await fc.assert(
    fc.asyncProperty(jobs, actions, async ({ program, needsDb, timeout, ...how }, what) => {
      const services = {
        db: { command: 'x', restart_policy: 'always' as const, backoff: '2s' },
        job: {
          command: 'x',
          stop_timeout: '2s',
          depends_on: needsDb ? ['db'] : [],
          cron: { ...how, ...(timeout === undefined ? {} : { timeout }) },
        },
      }
      const onEvent = (_: unknown, sim: Simulation) => expect(sim.world.processes.list('job').length).toBeLessThan(2)
      await using sim = await simulate([store, restart, cron], services, { programs: { job: program }, onEvent })
      const commands: Promise<unknown>[] = []
      for (const { kind, thenMs } of what) {
        await act(sim, kind, commands)
        await sim.clock.advance(thenMs)
      }
      await sim.clock.advance(30_000)
      const told = sim.events.filter(({ type }) => type === 'cron.finished' || type === 'cron.skipped')
      const due = told.map(({ data }) => data['scheduled']).filter((time) => time !== null)
      expect(new Set(due).size).toBe(due.length)
      const ended = told.filter(({ type }) => type === 'cron.finished')
      const started = sim.events.filter(({ type }) => type === 'cron.started')
      expect(started.length - ended.filter(({ instance }) => instance !== undefined).length).toBeLessThanOrEqual(1)
      const { cron: view, state } = sim.service('job').view
      expect(view?.history.map(({ status }) => status)).toEqual(
        told.slice(-10).map(({ type, data }) => (type === 'cron.skipped' ? 'skipped' : data['status'])),
      )
      if (state !== 'stopping') expect(view?.next_run === null).toBe(state === 'stopped')
      for (const { status, exit_code: code } of view?.history ?? []) if (status === 'success') expect(code).toBe(0)
      await sim.finish(sim.system.stop(['job']))
      expect(sim.world.processes.list('job')).toEqual([])
      expect(sim.service('job').view.cron).toMatchObject({ next_run: null, running: false })
      await sim.finish(Promise.allSettled(commands))
    }),
    {
      numRuns: runs,
      ...(process.env['SYSG_SIM_SEED'] === undefined ? {} : { seed: Number(process.env['SYSG_SIM_SEED']) }),
    },
  )
})

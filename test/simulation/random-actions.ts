/** What people and the world do to a random system. */
import type { Simulation } from '@systemg/core/testing'
import fc from 'fast-check'
import { servicesOf, type RandomService } from './random-services.ts'

const kinds = [
  'startAll',
  'start',
  'stop',
  'restart',
  'restartAll',
  'apply',
  'applyFewer',
  'scale',
  'startAdHoc',
  'ofAdHoc',
  'exit',
  'fail',
  'kill',
  'unhealthy',
  'unhealthy',
  'healthy',
  'healthy',
  'healthy',
  'recovers',
  'recovers',
  'failSpawn',
  'missingProgram',
  'clockJump',
  'crashSupervisor',
  'nothing',
] as const

export const actionArbitrary = fc.record({
  kind: fc.constantFrom(...kinds),
  /** Which service, modulo their number. */
  target: fc.nat(20),
  amount: fc.integer({ min: 1, max: 4 }),
  thenMs: fc.constantFrom(0, 0, 10, 200, 1_000, 5_000, 40_000),
})

export type Action = typeof actionArbitrary extends fc.Arbitrary<infer T> ? T : never

/** Do it, without waiting for the answer: that goes to `commands`. */
export const act = async (
  sim: Simulation,
  { kind, target, amount }: Action,
  services: readonly RandomService[],
  commands: Promise<unknown>[],
): Promise<void> => {
  const name = `s${target % services.length}`
  const view = sim.system.view().find((one) => one.name === name)
  const { system } = sim
  const of = (promise: Promise<unknown>) => void commands.push(promise.catch(() => undefined))
  const instance = view?.instances[amount % Math.max(1, view.instances.length)]
  const processes = sim.world.processes.list(name)
  const process = processes[amount % Math.max(1, processes.length)]
  const adHoc = `a${target % 2}`
  if (kind === 'startAdHoc') {
    const { services: specs } = await sim.configOf({ [adHoc]: { exec: ['work', String(amount % 2)] } })
    const [spec] = Object.values(specs)
    if (spec !== undefined) of(system.startAdHoc(spec, { isNew: amount > 3 }))
    return
  }
  if (kind === 'ofAdHoc') {
    if (amount < 3) of(system.stop([adHoc]))
    else if (amount === 3) of(system.restart({ names: [adHoc] }))
    else for (const { pid } of sim.world.processes.list(adHoc)) sim.world.processes.kill(pid, 'SIGKILL')
    return
  }
  if (view === undefined && kind !== 'apply' && kind !== 'crashSupervisor') return
  switch (kind) {
    case 'startAll': {
      of(system.start())
      return
    }
    case 'start': {
      of(system.start({ names: [name], withDeps: amount > 2 }))
      return
    }
    case 'stop': {
      of(system.stop([name]))
      return
    }
    case 'restart': {
      of(system.restart({ names: [name] }))
      return
    }
    case 'restartAll': {
      of(system.restart())
      return
    }
    case 'apply': {
      of(system.apply(await sim.configOf(servicesOf(services, amount))))
      return
    }
    case 'applyFewer': {
      of(system.apply(await sim.configOf(servicesOf(services.slice(0, amount), 0))))
      return
    }
    case 'scale': {
      of(system.scale({ [name]: amount }))
      return
    }
    case 'exit':
    case 'fail':
      if (process !== undefined) sim.world.processes.exit(process.pid, kind === 'exit' ? 0 : 9)
      return
    case 'kill':
      if (process !== undefined) sim.world.processes.kill(process.pid, 'SIGKILL')
      return
    case 'unhealthy':
    case 'healthy':
      if (instance !== undefined)
        system.reportHealth(instance.id, { healthy: kind === 'healthy', reason: 'status 503' })
      return
    case 'recovers':
      for (const healthy of [false, true])
        if (instance !== undefined) system.reportHealth(instance.id, { healthy, reason: 'status 503' })
      return
    case 'failSpawn': {
      sim.world.failSpawns('EAGAIN', amount)
      return
    }
    case 'missingProgram': {
      sim.world.failSpawns('ENOENT', amount)
      return
    }
    case 'clockJump': {
      sim.world.jump((amount - 2) * 3_600_000)
      return
    }
    case 'crashSupervisor':
      commands.length = 0
      sim.crash()
      await sim.boot()
      {
        of(sim.system.start())
        return
      }
    case 'nothing':
  }
}

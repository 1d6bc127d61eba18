/** A machine on which blue-green deploys can be watched: a proxy that `switch_command` sets, and commands that do as told. */
import type { Program } from '@systemg/core/simulated'
import { simulate, type Simulation, type SimulationOptions } from '@systemg/core/testing'
import { deploy } from '@systemg/plugins/deploy'
import { logs } from '@systemg/plugins/logs'
import type { Plugin, ServiceConfig } from '@systemg/core'
import { probed, remembers } from './plugins.ts'

/** What a command does: fails with a code, hangs, or writes and succeeds. */
export type Behaviour = Program

const succeeds =
  (text = ''): Behaviour =>
  (self) => {
    if (text !== '') self.write(text)
    self.exit(0)
  }

export const fails =
  (code: number, text = ''): Behaviour =>
  (self) => {
    if (text !== '') self.write(text, 'stderr')
    self.exit(code)
  }

/** Does not end, and has a child. */
export const hangs = (): Behaviour => (self) => {
  self.write('working\n')
  self.fork(() => undefined)
}

export const takes =
  (ms: number): Behaviour =>
  (self) =>
    void self.after(ms, () => self.exit(0))

/** A machine with a proxy. */
export interface Site {
  /** Where the proxy leads; undefined before it was told. */
  proxy: string | undefined
  /** Commands that ran, as they were: `build`, `switch 8001`. */
  readonly ran: string[]
  /** What commands do instead of succeeding, by their text (`switch 8001`) or first word. */
  readonly does: Map<string, Behaviour>
  /** What instances run, by their slot. */
  readonly programs: Map<string, Program>
}

export const siteOf = (): Site => ({ proxy: '8000', ran: [], does: new Map(), programs: new Map() })

/** Commands are `sh -c`; everything else is an instance. */
const programOf =
  (site: Site): Program =>
  (self) => {
    const [program, , text = ''] = self.argv
    if (program !== '/bin/sh' || self.env['SYSG_INSTANCE'] !== undefined) {
      const port = self.env['PORT'] ?? ''
      site.programs.get(port)?.(self)
      return
    }
    const [word = '', slot] = text.split(' ')
    site.ran.push(text)
    const behaviour = site.does.get(text) ?? site.does.get(word)
    if (word === 'switch') {
      const isFailing = behaviour !== undefined
      if (!isFailing) site.proxy = slot
    }
    ;(behaviour ?? succeeds())(self)
  }

export const blueGreen: ServiceConfig = {
  command: 'server',
  deployment: {
    strategy: 'rolling',
    pre_start: 'build',
    grace_period: '5s',
    blue_green: { slots: [8000, 8001], switch_command: 'switch {slot}', switch_verify: 'verify {slot}' },
  },
}

export const siteSimulation = async (
  site: Site,
  services: Readonly<Record<string, ServiceConfig>> = { api: blueGreen },
  options: { readonly plugins?: readonly Plugin[]; readonly healthy?: Set<string> } & SimulationOptions = {},
): Promise<Simulation> => {
  const { plugins = [], healthy, ...rest } = options
  const programs = Object.fromEntries(Object.keys(services).map((name) => [name, programOf(site)]))
  return simulate(
    [remembers(), logs, deploy, ...(healthy === undefined ? [] : [probed(healthy)]), ...plugins],
    services,
    { programs, ...rest },
  )
}

/** The one instance that serves. @throws when there are more, or none. */
export const serving = (sim: Simulation, service = 'api'): { readonly pid: number; readonly slot: string | null } => {
  const active = sim.service(service).view.instances.filter(({ role }) => role === 'active')
  const [only] = active
  if (only?.pid === null || only === undefined || active.length !== 1)
    throw new Error(`${active.length} instances of ${service} serve`)
  return { pid: only.pid, slot: only.slot }
}

export const steps = (sim: Simulation): readonly string[] =>
  sim.events
    .filter(({ type }) => type === 'deploy.step')
    .map(({ data }) => String((data as { readonly step?: unknown }).step))

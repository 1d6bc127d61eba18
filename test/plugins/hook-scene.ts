/** Simulations that write down which hooks are run, and what they are told. */
import type { Plugin, ServiceConfig } from '@systemg/core'
import { serve, type Program, type ProgramControl } from '@systemg/core/simulated'
import { simulate, type Simulation, type SimulationOptions } from '@systemg/core/testing'
import { cron, deploy, dotenv, lifecycleCommands, restart, store } from '@systemg/plugins'

/** All six, each a command named after it. */
export const everyHook = Object.fromEntries(
  ['on_start', 'on_stop', 'on_restart'].map((moment) => [
    moment,
    { success: `${moment}.success`, error: `${moment}.error` },
  ]),
)

class HookNotes {
  /** `api on_start.success`, in the order in which they began. */
  readonly all: string[] = []
  /** What each was told. */
  readonly told: Readonly<Record<string, string>>[] = []
  /** What a hook does after it was noted. Default: exits with 0 at once. */
  does: Program = (self) => self.exit(0)

  /** `program`, or for a hook: note it. */
  readonly beside =
    (program: Program): Program =>
    (self) => {
      if (self.env['SYSG_EVENT'] === undefined) program(self)
      else this.#note(self)
    }

  /** Hooks of one service since this was asked last. */
  of(service: string): readonly string[] {
    const found = this.all.filter((note) => note.startsWith(`${service} `))
    for (const note of found) this.all.splice(this.all.indexOf(note), 1)
    return found.map((note) => note.slice(service.length + 1))
  }

  #note(self: ProgramControl): void {
    this.all.push(`${self.env['SYSG_SERVICE'] ?? ''} ${self.argv[2] ?? ''}`)
    this.told.push(
      Object.fromEntries(
        ['EVENT', 'SERVICE', 'PID', 'EXIT_CODE', 'SIGNAL', 'ATTEMPT'].map((name) => [
          name,
          self.env[`SYSG_${name}`] ?? '(missing)',
        ]),
      ),
    )
    this.does(self)
  }
}

export const plugins: readonly Plugin[] = [store, dotenv, restart, deploy, cron, lifecycleCommands]
export const comesBack = { restart_policy: 'always', backoff: '1s' } as const

export interface Scene extends AsyncDisposable {
  readonly sim: Simulation
  readonly notes: HookNotes
  /** Which hooks of `api`, or another service, have run since this was asked last. */
  ran(service?: string): readonly string[]
  runs(program: Program, service?: string): void
}

/** Every service has every hook. */
export const scene = async (
  services: Readonly<Record<string, Partial<ServiceConfig>>>,
  options: SimulationOptions & { readonly more?: readonly Plugin[] } = {},
): Promise<Scene> => {
  const notes = new HookNotes()
  const { more = [], programs = {}, ...rest } = options
  const sim = await simulate(
    [...plugins, ...more],
    Object.fromEntries(
      Object.entries(services).map(([name, service]) => [name, { command: 'x', hooks: everyHook, ...service }]),
    ),
    {
      ...rest,
      programs: Object.fromEntries(
        Object.keys(services).map((name) => [name, notes.beside(programs[name] ?? serve())]),
      ),
    },
  )
  return {
    sim,
    notes,
    ran: (service = 'api') => notes.of(service),
    runs: (program, service = 'api') => sim.service(service).runs(notes.beside(program)),
    [Symbol.asyncDispose]: () => sim[Symbol.asyncDispose](),
  }
}

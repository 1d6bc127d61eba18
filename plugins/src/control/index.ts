/**
 * Lets other programs watch and steer the system: JSON-RPC 2.0 on a unix socket, one JSON object per line.
 *
 * Owns no key. Taps `prepare` (tells every instance the socket, as `SYSG_SOCKET`), `boot` (listens before anything else happens, so that a client can watch the system come up) and
 * `event` (tells clients what happens while their request runs). Serves every method in the registry, whoever brought
 * it, and brings `ping`, `status`, `inspect`, `start`, `start_ad_hoc`, `stop`, `restart`, `scale` and `shutdown`. See docs/plugins/control.md.
 */
import { definePlugin, SysgError, whyOf } from '@systemg/core'
import { controlMethods } from './methods.ts'
import { controlDefaults } from './defaults.ts'
import type { ControlOptions } from './options.ts'
import { Progress } from './progress.ts'
import { Sessions } from './server.ts'

export const control = definePlugin<Partial<ControlOptions> | undefined>({
  name: 'control',
  schemas: () => import('./options.ts'),
  setup(api) {
    const { host, hooks, system, registries } = api
    const options = { ...controlDefaults, ...api.options }
    const progress = new Progress()
    const { promise: closing, resolve: beginClosing } = Promise.withResolvers<void>()
    const { promise: started, resolve: hasStarted } = Promise.withResolvers<void>()
    const tell = (message: string) => host.trace('warn', message)
    const sessions = new Sessions(host.clock, limitsOf(options), (name) => registries.methods.get(name), tell)

    const methods = controlMethods({ system, options, progress, started, closing, startedAt: host.clock.now() })
    for (const [name, method] of Object.entries(methods)) api.registerMethod(name, method)
    // From inside of a service the supervisor is found by this, whatever else the service inherits.
    hooks.prepare.tap('control', (spec) => ({ ...spec, env: { ...spec.env, SYSG_SOCKET: options.socket } }))
    hooks.event.tap('control', (event) => {
      if (event.type === 'system.started') hasStarted()
      progress.tell(event)
    })
    hooks.boot.tapPromise({ name: 'control', stage: -100 }, async (state) => {
      const server = await host.net.serve(options.socket, sessions.accept).catch((thrown: unknown) => {
        throw cannotListen(options.socket, thrown)
      })
      api.onDispose(async () => {
        beginClosing()
        // In this order: a server that closes may cut its connections.
        await sessions.close()
        await server.close()
      })
      return state
    })
  },
})

const limitsOf = (options: ControlOptions) => ({
  connections: options.connections,
  requests: options.requests,
  waitingLength: options.waiting_length,
  frameBytes: options.frame_bytes,
  frameMs: options.frame_ms,
  mistakes: options.mistakes,
  goodbyeMs: options.goodbye_ms,
})

const cannotListen = (path: string, thrown: unknown): SysgError =>
  SysgError.of(
    'SYSG_CONTROL_LISTEN',
    {
      message: `The control socket ${path} cannot be opened: ${whyOf(thrown)}.`,
      hint: 'Another supervisor may run, or the folder may not be writable.',
    },
    { cause: thrown },
  )

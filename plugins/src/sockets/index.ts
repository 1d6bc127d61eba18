/**
 * Listens for services and hands them the open sockets, so that no connection is refused while a program restarts.
 *
 * Owns the service key `sockets`. Taps `boot` (takes up what an earlier supervisor left open), `prepare` (early: the sockets
 * are descriptors 3, 4, …; and as the innermost wrapper: `LISTEN_PID`), `beforeReplace` (binds what a new config needs while
 * the old instance serves), `stopped`, `reload` and `shutdown` (close what nobody needs). Registers the control method
 * `sockets.release`. The supervisor binds and never accepts. The protocol is that of systemd: sd_listen_fds(3).
 */
import { definePlugin, once, SysgError, type ResolvedService, type TreeRef } from '@systemg/core'
import * as z from 'zod/mini'
import { Holdings } from './holdings.ts'
import { withListenPid, withSockets } from './launch.ts'
import type { sockets as socketsKey } from './options.ts'
import { checkSockets } from './rules.ts'

export const sockets = definePlugin({
  name: 'sockets',
  schemas: () => import('./options.ts'),
  check: checkSockets,
  setup({ hooks, host, system, registerMethod }) {
    const addresses = (service: ResolvedService | undefined) => socketsOf(service).map(({ listen }) => listen)
    const holdings = new Holdings(host, (address) =>
      Object.values(system.config.services).some((service) => addresses(service).includes(address)),
    )
    /** Instances that run, by service. */
    const trees = new Map<string, { readonly service: string; readonly tree: () => TreeRef | undefined }>()
    const wanting = (service: string) => ({
      service,
      trees: [...trees.values()].flatMap((one) => (one.service === service ? (one.tree() ?? []) : [])),
    })

    hooks.boot.tapPromise({ name: 'sockets', stage: 50 }, async (state) => {
      for (const { id, service, tree } of state.instances) {
        if (socketsOf(service).length === 0) continue
        holdings.use(id, socketsOf(service))
        trees.set(id, { service: service.name, tree: () => tree })
      }
      const present = Object.values(system.config.services)
      await holdings.takeUp([...present, ...state.instances.map(({ service }) => service)].flatMap(socketsOf))
      return state
    })

    hooks.prepare.tapPromise({ name: 'sockets', stage: -100 }, async (spec, { service, instance }) => {
      const specs = socketsOf(service)
      if (specs.length === 0) return spec
      const descriptors = await holdings.open(specs, wanting(service.name))
      holdings.use(instance.id, specs)
      trees.set(instance.id, { service: service.name, tree: () => instance.tree })
      return withSockets(spec, specs, descriptors)
    })
    hooks.prepare.tap({ name: 'sockets', stage: 90 }, (spec, { service }) =>
      socketsOf(service).length > 0 ? withListenPid(spec) : spec,
    )

    hooks.beforeReplace.tapPromise('sockets', async ({ service, running }) => {
      // Those that it has already are taken over as they are; or are bound once it has ended.
      const has = new Set(addresses(running))
      await holdings.open(
        socketsOf(service).filter(({ listen }) => !has.has(listen)),
        wanting(service.name),
      )
    })

    hooks.stopped.tap('sockets', ({ id }) => {
      trees.delete(id)
      holdings.forget(id)
    })
    hooks.reload.tapPromise('sockets', async () => holdings.sweep())
    hooks.shutdown.tapPromise('sockets', () => holdings.close())

    registerMethod('sockets.release', async (params) => {
      const { services } = releaseParams().parse(params)
      const released = services.flatMap((name) => {
        const service = system.config.services[name]
        if (service === undefined) throw new SysgError('SYSG_SERVICE_UNKNOWN', { name })
        return addresses(service)
      })
      const used = released.find((address) => holdings.isUsed(address))
      if (used !== undefined) throw inUse(used, services)
      await holdings.release(released)
      return { released }
    })
  },
})

declare module '@systemg/core' {
  interface ServiceConfig {
    /** Addresses that the supervisor listens on for this service: `tcp://host:port`, `unix:///path`, or `{ listen, name, backlog, mode }`. From the `sockets` plugin. */
    sockets?: z.input<typeof socketsKey>
  }
  interface ResolvedService {
    readonly sockets: z.output<typeof socketsKey>
  }
}

const releaseParams = once(() =>
  z.strictObject({ services: z.array(z.string().check(z.minLength(1))).check(z.minLength(1)) }),
)

/** What an older version has recorded may lack the key. */
const socketsOf = (service: ResolvedService | undefined): ResolvedService['sockets'] =>
  (service as Partial<ResolvedService> | undefined)?.sockets ?? []

const inUse = (address: string, services: readonly string[]): SysgError =>
  SysgError.of('SYSG_SOCKETS_IN_USE', {
    message: `${address} can't be released: an instance has it.`,
    hint: `Stop first: \`sysg stop -s ${services.join(' -s ')} --release\`.`,
  })

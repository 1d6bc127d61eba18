/**
 * The three ways to put a service that is replaced while it serves: slots behind a proxy of ours, slots behind nginx, and
 * one socket that all instances share. Each with visitors that ask without a pause.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync } from 'node:fs'
import { join } from 'node:path'
import type { InstanceView } from '@systemg/core'
import { freePorts } from '../ports.ts'
import { commandOf, Sandbox, until } from './sysg.ts'
import { ask, Visitors } from './visitors.ts'

const programs = join(import.meta.dirname, 'programs')
const node = process.execPath
const point = `"${node}" "${join(programs, 'point-proxy.mjs')}" target {slot} {active_slot}`

/** A version of the service `api`. */
export interface Version {
  /** What it answers. */
  readonly says: string
  /** What is wrong with it; see `deployed-server.mjs`. */
  readonly behaves?: string
  readonly env?: Readonly<Record<string, string>>
  /** Its health check, where it is not that of the layout. */
  readonly check?: object
  readonly totalTimeout?: string
  readonly deployment?: object
  /** Put behind the `switch_command` of the layout. */
  readonly afterSwitch?: string
  readonly verify?: string
}

interface Place {
  /** Where users ask. */
  readonly port: number
  readonly slots: readonly number[]
  /** The services with this version. */
  readonly services: (version: Version, api: object) => object
  readonly check: object
  readonly blueGreen?: { readonly switch_command: string; readonly switch_verify: string }
  readonly end?: () => void
}

export interface Layout {
  readonly title: string
  readonly hasSlots: boolean
  /** How `api` is deployed, and nothing else. */
  readonly deploy: readonly string[]
  /** A layout that cannot be had here has a reason. */
  readonly missing?: string | undefined
  readonly prepare: (box: Sandbox, ports: readonly [number, number, number]) => Promise<Place>
}

const slotCheck = { url: 'http://127.0.0.1:{slot}/health' }

const behindProxy: Layout = {
  title: 'slots behind a proxy',
  hasSlots: true,
  deploy: ['restart'],
  async prepare(box, [port, ...slots]) {
    box.file('target', String(slots[0]))
    const proxy = spawn(node, [join(programs, 'slot-proxy.mjs'), String(port), join(box.folder, 'target')])
    await once(proxy.stdout, 'data')
    const blueGreen = { switch_command: point, switch_verify: 'true' }
    const services = (_: Version, api: object) => ({ api })
    return { port, slots, services, check: slotCheck, blueGreen, end: () => proxy.kill('SIGKILL') }
  },
}

const behindNginx: Layout = {
  title: 'slots behind nginx',
  hasSlots: true,
  deploy: ['start', '-d'],
  missing:
    spawnSync('nginx', ['-v']).error === undefined ? undefined : 'nginx is not installed (apt-get install nginx-light)',
  prepare(box, [port, ...slots]) {
    // The workers of nginx may have another user.
    chmodSync(box.folder, 0o755)
    cpSync(join(import.meta.dirname, '../../examples/behind-nginx'), box.folder, { recursive: true })
    box.environment = { HTTP_PORT: String(port) }
    const proxy = {
      command: `./proxy.sh ${slots[0]}`,
      stop_signal: 'SIGQUIT',
      depends_on: { api: { condition: 'ready', on_failure: 'ignore' } },
      health_check: { url: `http://127.0.0.1:${port}/slot` },
    }
    return Promise.resolve({
      ...{ port, slots, check: slotCheck, services: (_: Version, api: object) => ({ api, proxy }) },
      blueGreen: {
        switch_command: './switch.sh {slot} {active_slot}',
        switch_verify: `"${node}" verify.js {slot}`,
      },
    })
  },
}

const oneSocket: Layout = {
  title: 'one socket',
  hasSlots: false,
  deploy: ['restart'],
  prepare(_, [port]) {
    const services = (_: Version, api: object) => ({ api: { ...api, sockets: [`tcp://127.0.0.1:${port}`] } })
    return Promise.resolve({ port, slots: [], services, check: { notify: true } })
  },
}

export const layouts = { behindProxy, behindNginx, oneSocket } as const

/** The service `api` in a layout, running, with visitors. */
export class Deployed implements AsyncDisposable {
  readonly box: Sandbox
  readonly place: Place
  visitors!: Visitors
  readonly #layout: Layout

  private constructor(layout: Layout, box: Sandbox, place: Place) {
    this.#layout = layout
    this.box = box
    this.place = place
  }

  /** @param options.inTest - See `Sandbox`. */
  static async open(layout: Layout, version: Version, options: { readonly inTest?: boolean } = {}): Promise<Deployed> {
    const box = new Sandbox(options)
    const site = new Deployed(layout, box, await layout.prepare(box, await freePorts()))
    site.configure(version)
    const { code, stderr } = await box.run('start', '-d')
    if (code !== 0) throw new Error(stderr)
    await until(
      () => site.answer().catch(String),
      (answer) => answer.startsWith('200 '),
    )
    site.visitors = new Visitors(site.place.port)
    return site
  }

  /** Write the config for this version. Nothing is deployed. */
  configure(version: Version): void {
    const {
      says,
      behaves = 'well',
      env = {},
      check,
      totalTimeout = '30s',
      deployment = {},
      afterSwitch,
      verify,
    } = version
    const { slots, blueGreen, services } = this.place
    const switching = blueGreen && {
      slots,
      switch_command: `${blueGreen.switch_command}${afterSwitch === undefined ? '' : `; ${afterSwitch}`}`,
      switch_verify: verify ?? blueGreen.switch_verify,
    }
    const api = {
      exec: [node, join(programs, 'deployed-server.mjs')],
      env: { vars: { SAYS: says, BEHAVES: behaves, ...env } },
      health_check: { ...(check ?? this.place.check), start_interval: '50ms', total_timeout: totalTimeout },
      deployment: {
        ...{ strategy: 'rolling', grace_period: '300ms', ...deployment },
        ...(switching && { blue_green: switching }),
      },
    }
    this.box.config(JSON.stringify({ version: '1', services: services(version, api) }))
  }

  deploy() {
    return this.box.run(...this.#layout.deploy)
  }

  /** What is answered to a request that begins now: `200 v1 by 4711`. */
  answer(): Promise<string> {
    return ask(this.place.port)
  }

  async instances(): Promise<readonly InstanceView[]> {
    return (await this.box.service('api')).instances
  }

  /** Everything that systemg runs for `api`, and what is left of it: neither the supervisor, its holder, nor the proxy. */
  async processes(): Promise<readonly number[]> {
    const others = [(await this.box.status()).supervisor.pid, ...this.box.holders()]
    return this.box.processes().filter((pid) => !others.includes(pid) && !commandOf(pid).includes('nginx'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.visitors[Symbol.asyncDispose]()
    await this.box[Symbol.asyncDispose]()
    this.place.end?.()
  }
}

/** Who has answered. */
export const pidIn = (answer: string): number => Number(answer.split(' ').at(-1))

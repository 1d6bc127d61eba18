/** Who has which address bound: supervisors that listen, programs that bind, and the world outside. */
import { HostError, type Descriptor, type Sockets } from '../host.ts'
import type { SimulatedProcess } from './process.ts'
import type { Supervisor } from './supervisor.ts'

interface Binding {
  /** The supervisor that listens, or listened until it was killed; a socket is kept for the one that comes after. */
  owner: Supervisor | 'process' | 'stranger'
  /** Descriptors the supervisor has open. */
  open: number
  /** Living processes that have it. */
  readonly users: Set<SimulatedProcess>
}

const addressForm = /^(tcp:\/\/[^\s/]+:\d+|unix:\/\/\/.+)$/

export class Addresses {
  readonly #bindings = new Map<string, Binding>()
  readonly #labels = new WeakMap<Descriptor, string>()

  /** Somebody outside the system takes an address, or gives it back. */
  occupy(address: string, taken = true): void {
    if (taken) this.#bindings.set(address, { owner: 'stranger', open: 0, users: new Set() })
    else this.#bindings.delete(address)
  }

  isBound(address: string): boolean {
    return this.#bindings.has(address)
  }

  /** Processes that have a TCP port; `undefined` when nobody has it. */
  listenersOn(port: number): readonly SimulatedProcess[] | undefined {
    const bound = [...this.#bindings].filter(
      ([address]) => address.startsWith('tcp://') && address.endsWith(`:${port}`),
    )
    return bound.length === 0 ? undefined : bound.flatMap(([, { users }]) => [...users])
  }

  bind(address: string, process: SimulatedProcess): boolean {
    if (this.#bindings.has(address)) return false
    this.#bindings.set(address, { owner: 'process', open: 0, users: new Set() })
    this.#use(address, process)
    return true
  }

  /** A process starts with these descriptors; the sockets among them live as long as it does. */
  inherit(descriptors: readonly Descriptor[], process: SimulatedProcess): void {
    for (const descriptor of descriptors) {
      const address = this.#labels.get(descriptor)
      if (address !== undefined) this.#use(address, process)
    }
  }

  /** The port of one supervisor. */
  socketsOf(supervisor: Supervisor): Sockets {
    return {
      listen: (address) => supervisor.call('listen', () => this.#listen(address, supervisor)),
      inherited: () =>
        [...this.#bindings].filter(([, binding]) => isLeftTo(supervisor, binding)).map(([address]) => address),
      settled: () => supervisor.call('settled', () => undefined),
    }
  }

  /** What was left by supervisors that were killed stays open only where a process has it. */
  lose(): void {
    for (const [address, binding] of [...this.#bindings]) {
      if (typeof binding.owner !== 'object' || binding.owner.isAlive) continue
      binding.open = 0
      this.#release(address, binding)
    }
  }

  clear(): void {
    this.#bindings.clear()
  }

  #listen(address: string, supervisor: Supervisor): Descriptor {
    if (!addressForm.test(address)) throw new HostError('EINVAL', `listen EINVAL: ${address} is no address`)
    const binding = this.#bindings.get(address) ?? { owner: supervisor, open: 0, users: new Set<SimulatedProcess>() }
    if (this.#bindings.has(address) && !isOpenTo(supervisor, binding)) {
      const pids = [...binding.users].map(({ pid }) => pid)
      throw new HostError('EADDRINUSE', `${pids.length > 0 ? `pid ${pids.join(', ')}` : 'another program'} has it`, {
        pids,
      })
    }
    if (binding.owner !== supervisor) Object.assign(binding, { owner: supervisor, open: 0 })
    this.#bindings.set(address, binding)
    binding.open++
    let isOpen = true
    const close = () => {
      if (!isOpen || binding.owner !== supervisor || !supervisor.isAlive) return
      isOpen = false
      binding.open--
      this.#release(address, binding)
    }
    const descriptor: Descriptor = { kind: 'socket', label: address, close }
    this.#labels.set(descriptor, address)
    return descriptor
  }

  #use(address: string, process: SimulatedProcess): void {
    const binding = this.#bindings.get(address)
    if (binding === undefined) return
    binding.users.add(process)
    process.onEnd(() => {
      binding.users.delete(process)
      this.#release(address, binding)
    })
  }

  #release(address: string, binding: Binding): void {
    const isHeld = binding.owner === 'stranger' || binding.open > 0 || binding.users.size > 0
    if (!isHeld && this.#bindings.get(address) === binding) this.#bindings.delete(address)
  }
}

/** It listens there itself, or takes up what one that was killed had open. */
const isOpenTo = (supervisor: Supervisor, binding: Binding): boolean =>
  (binding.owner === supervisor && binding.open > 0) || isLeftTo(supervisor, binding)

/** One that was killed had it open. */
const isLeftTo = (supervisor: Supervisor, { owner, open }: Binding): boolean =>
  typeof owner === 'object' && owner !== supervisor && open > 0 && !owner.isAlive

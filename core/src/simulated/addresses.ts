/** Who has which address bound, and who accepts there: supervisors that listen, programs, and the world outside. */
import { HostError, type Descriptor, type Sockets } from '../host.ts'
import type { SimulatedProcess } from './process.ts'
import type { AnswerRequest } from './program.ts'
import type { Supervisor } from './supervisor.ts'

interface Binding {
  /** The supervisor that listens, or listened until it was killed; a socket is kept for the one that comes after. */
  owner: Supervisor | 'process' | 'stranger'
  /** Descriptors the supervisor has open. */
  open: number
  /** Living processes that have it. */
  readonly users: Set<SimulatedProcess>
  /** Those of them that accept, the next one first. */
  acceptors: readonly Acceptor[]
}

/** A process that accepts connections, and what it does with a request. */
export interface Acceptor {
  readonly process: SimulatedProcess
  readonly answer: AnswerRequest
}

const addressForm = /^(tcp:\/\/[^\s/]+:\d+|unix:\/\/\/.+)$/

export class Addresses {
  readonly #bindings = new Map<string, Binding>()
  readonly #labels = new WeakMap<Descriptor, string>()
  readonly #listeners = new Map<string, Set<() => void>>()

  /** Somebody outside the system takes an address, or gives it back. */
  occupy(address: string, taken = true): void {
    if (taken) this.#bindings.set(address, { owner: 'stranger', open: 0, users: new Set(), acceptors: [] })
    else this.#bindings.delete(address)
    this.#tell()
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
    this.#bindings.set(address, { owner: 'process', open: 0, users: new Set(), acceptors: [] })
    this.#use(address, process)
    return true
  }

  /** A process accepts from now on: on an address that it inherited, or else binds. False when somebody else has it. */
  serve(address: string, process: SimulatedProcess, answer: AnswerRequest): boolean {
    if (this.#bindings.get(address)?.users.has(process) !== true && !this.bind(address, process)) return false
    const binding = this.#bindings.get(address)
    if (binding === undefined) return false
    binding.acceptors = [...binding.acceptors.filter((one) => one.process !== process), { process, answer }]
    this.#tell()
    return true
  }

  /** Who accepts a connection: those that serve the address take turns. `nobody`: it waits in the backlog. */
  acceptor(address: string): Acceptor | 'nobody' | 'refused' {
    const binding = this.#bindingFor(address)
    if (binding === undefined) return 'refused'
    const [next, ...others] = binding.acceptors
    if (next === undefined) return 'nobody'
    binding.acceptors = [...others, next]
    return next
  }

  /** Call `listener` once, when `acceptor` may say something else. Returns how to take that back. */
  onChange(address: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(address) ?? new Set()
    this.#listeners.set(address, listeners.add(listener))
    return () => void listeners.delete(listener)
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
    const fresh: Binding = { owner: supervisor, open: 0, users: new Set(), acceptors: [] }
    const binding = this.#bindings.get(address) ?? fresh
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
      binding.acceptors = binding.acceptors.filter((one) => one.process !== process)
      this.#release(address, binding)
    })
  }

  /** Also of a program that listens on all addresses of the machine. */
  #bindingFor(address: string): Binding | undefined {
    const local = address.replace('//localhost:', '//127.0.0.1:')
    const [port = ''] = /:\d+$/.exec(address) ?? []
    const names = [address, local, ...(port === '' ? [] : [`tcp://0.0.0.0${port}`, `tcp://[::]${port}`])]
    return names.map((name) => this.#bindings.get(name)).find((binding) => binding !== undefined)
  }

  #tell(): void {
    const listeners = [...this.#listeners.values()].flatMap((each) => [...each])
    this.#listeners.clear()
    for (const listener of listeners) listener()
  }

  #release(address: string, binding: Binding): void {
    const isHeld = binding.owner === 'stranger' || binding.open > 0 || binding.users.size > 0
    if (!isHeld && this.#bindings.get(address) === binding) {
      this.#bindings.delete(address)
      this.#tell()
    }
  }
}

/** It listens there itself, or takes up what one that was killed had open. */
const isOpenTo = (supervisor: Supervisor, binding: Binding): boolean =>
  (binding.owner === supervisor && binding.open > 0) || isLeftTo(supervisor, binding)

/** One that was killed had it open. */
const isLeftTo = (supervisor: Supervisor, { owner, open }: Binding): boolean =>
  typeof owner === 'object' && owner !== supervisor && open > 0 && !owner.isAlive

/** A descriptor of this process as the value that plugins pass around. */
import { closeSync } from 'node:fs'
import { HostError, type Descriptor } from '@systemg/core'

/** Owns a descriptor number. Closing twice is harmless: the number may belong to somebody else by then. */
export class FdDescriptor implements Descriptor {
  readonly kind: Descriptor['kind']
  readonly label: string
  readonly #release: (fd: number) => void
  #fd: number | undefined

  /** @param release - What closing does; default: close the number. */
  constructor(kind: Descriptor['kind'], label: string, fd: number, release: (fd: number) => void = closeSync) {
    this.kind = kind
    this.label = label
    this.#fd = fd
    this.#release = release
  }

  /** The number, while it is open. @throws {HostError} `EBADF` afterwards. */
  get fd(): number {
    if (this.#fd === undefined) throw new HostError('EBADF', `${this.label} is closed`)
    return this.#fd
  }

  close(): void {
    const fd = this.#fd
    this.#fd = undefined
    if (fd !== undefined) this.#release(fd)
  }
}

/** The number of a descriptor that this host made. @throws {HostError} `EBADF` for any other, and for a closed one. */
export const fdOf = (descriptor: Descriptor): number => {
  if (descriptor instanceof FdDescriptor) return descriptor.fd
  throw new HostError('EBADF', `${descriptor.label} is not a descriptor of this host`)
}

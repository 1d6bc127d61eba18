/** What is open, as a value that plugins can pass on. */

/**
 * A descriptor held by the host, as a value: a FIFO's write end, a listening socket, a file.
 * Plugins pass it on in a `LaunchSpec`; only the host that made it knows what is inside.
 */
export interface Descriptor {
  readonly kind: 'fifo' | 'socket' | 'file'
  /** What it stands for, for people: a path or an address. */
  readonly label: string
  close(): void
}

/** Where one of the three standard streams of a process leads. */
export type Stream = 'null' | 'inherit' | Descriptor

/** What plugins answer to clients, by name: over the control socket, or asked from inside. */
import { Registry } from './registry.ts'

/** A control request that runs. */
export interface ControlCall {
  readonly signal: AbortSignal
  /**
   * Send the caller a message. Resolves when there is room for the next one, or nobody listens any more; never rejects.
   * Who does not wait ends the request of a caller that reads too slowly.
   */
  readonly notify: (method: string, params: unknown) => Promise<void>
}

/** Answers a control request. */
export type ControlMethod = (params: unknown, call: ControlCall) => unknown

export class ControlMethods extends Registry<ControlMethod> {
  constructor() {
    super('control method')
  }

  /** Ask a method from inside; its messages go nowhere. `undefined` when no plugin has it. */
  call(name: string, params: unknown, signal: AbortSignal = new AbortController().signal): unknown {
    return this.get(name)?.(params, { signal, notify: () => Promise.resolve() })
  }
}

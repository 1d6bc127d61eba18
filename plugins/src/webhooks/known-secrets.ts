/** Values of the environment of services whose names say that they are secrets: what programs write may hold them. */
import { isSecretName } from '@systemg/core'

export class KnownSecrets {
  readonly #byService = new Map<string, ReadonlySet<string>>()

  /** The environment that a service gets now. */
  learn(service: string, env: Readonly<Record<string, string>>): void {
    const values = Object.entries(env).flatMap(([name, value]) => (isSecretName(name) ? [value] : []))
    if (values.length > 0) this.#byService.set(service, new Set(values))
    else this.#byService.delete(service)
  }

  readonly all = (): ReadonlySet<string> => {
    const all = new Set<string>()
    for (const values of this.#byService.values()) for (const value of values) all.add(value)
    return all
  }
}

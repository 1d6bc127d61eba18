/**
 * What services are made of besides their keys: the content of files that keys name, as plugins tell it, and defaults at
 * the top level. Only a fingerprint of each is kept, since it may hold secrets.
 */
import type { PluginUse } from '../plugin.ts'
import { liveKeysOf, sharedKeys } from '../plugin-keys.ts'
import type { Findings } from './findings.ts'
import type { ResolvedService, ResolvedSystem } from './types.ts'
import type { ReadText } from './yaml.ts'

/** Content by a name for people: `the env file shared.env`. */
export type Inputs = Readonly<Record<string, string>>

/** The system with what its services share, and the inputs that every plugin tells. */
export const withInputs = async (
  uses: readonly PluginUse[],
  system: ResolvedSystem,
  readText: ReadText,
  findings: Findings,
): Promise<ResolvedSystem> => {
  const shared = sharedDefaults(uses, system)
  const services = new Map(Object.entries(system.services).map(([name, one]) => [name, madeOf(one, shared)]))
  for (const { plugin } of uses) {
    try {
      for (const [name, inputs] of Object.entries((await plugin.inputs?.({ config: system, readText })) ?? {})) {
        const service = services.get(name)
        if (service !== undefined) services.set(name, madeOf(service, inputs))
      }
    } catch (error) {
      findings.addThrown(error, plugin.name, 'inputs', [])
    }
  }
  return { ...system, services: Object.fromEntries(services) }
}

/** Top-level defaults of keys whose change needs a restart. */
const sharedDefaults = (uses: readonly PluginUse[], system: ResolvedSystem): Inputs => {
  const values = new Map<string, unknown>(Object.entries(system))
  const live = liveKeysOf(uses)
  const keys = sharedKeys(uses).filter((key) => !live.includes(key))
  return Object.fromEntries(keys.map((key) => [`the default of \`${key}\``, canonical(values.get(key) ?? null)]))
}

/** JSON that is the same in whatever order keys were written. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )

/** The service with these inputs added. */
export const madeOf = (service: ResolvedService, inputs: Inputs): ResolvedService => {
  const prints = Object.entries(inputs).map(([name, content]): [string, string] => [name, fingerprint(content)])
  return prints.length === 0 ? service : { ...service, inputs: { ...service.inputs, ...Object.fromEntries(prints) } }
}

/** 16 hex digits that differ for different texts (cyrb53 by bryc, with all of its 64 bits). No protection for secrets. */
const fingerprint = (text: string): string => {
  let high = 0xdeadbeef
  let low = 0x41c6ce57
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index)
    high = Math.imul(high ^ unit, 2_654_435_761)
    low = Math.imul(low ^ unit, 1_597_334_677)
  }
  const mix = (a: number, b: number) =>
    Math.imul(a ^ (a >>> 16), 2_246_822_507) ^ Math.imul(b ^ (b >>> 13), 3_266_489_909)
  return [mix(high, low), mix(low, high)].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
}

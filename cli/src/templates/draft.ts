/** A config made of another tool's file, before it is written. */
export interface Draft {
  /** Name of the file it was made of. */
  readonly source: string
  /** Keys of the top level. */
  readonly system: Readonly<Record<string, unknown>>
  readonly services: readonly ServiceDraft[]
  /** What could not be carried over, or needs a look. */
  readonly notes: readonly string[]
}

export interface ServiceDraft {
  readonly name: string
  /** Keys of the service, as a user writes them. */
  readonly keys: Readonly<Record<string, unknown>>
  readonly notes: readonly string[]
}

/** Keys that no plugin here knows become notes: a config that was written must load. */
export const withKnownKeys = (
  draft: Draft,
  known: { readonly system: { has(key: string): boolean }; readonly service: { has(key: string): boolean } },
): Draft => {
  const system = split(draft.system, known.system)
  const services = draft.services.map((service) => {
    const { keys, notes } = split(service.keys, known.service)
    return { ...service, keys, notes: [...service.notes, ...notes] }
  })
  return { ...draft, system: system.keys, services, notes: [...draft.notes, ...system.notes] }
}

const split = (keys: Readonly<Record<string, unknown>>, known: { has(key: string): boolean }) => ({
  keys: Object.fromEntries(Object.entries(keys).filter(([key, value]) => known.has(key) && value !== undefined)),
  notes: Object.entries(keys)
    .filter(([key, value]) => !known.has(key) && value !== undefined)
    .map(([key, value]) => `no plugin here knows \`${key}\`: ${JSON.stringify(value)}`),
})

/** Which keys of a service another config changes, and whether that reaches what runs without a restart. Pure. */
import type { ResolvedService } from './config/types.ts'

/** Keys whose change reaches a running service without a restart. */
export const liveKeys: readonly string[] = [
  'depends_on',
  'startup_grace',
  'stop_signal',
  'stop_timeout',
  'skip',
  'replicas',
  'success_exit_codes',
]

/** Keys that differ, sorted. Values are plain JSON. */
export const changedKeys = (before: ResolvedService, after: ResolvedService): readonly string[] => {
  const of = (service: ResolvedService) => new Map<string, unknown>(Object.entries(service))
  const [old, next] = [of(before), of(after)]
  const differ = [...new Set([...old.keys(), ...next.keys()])]
    .filter((key) => key !== 'inputs' && !isSame(old.get(key), next.get(key)))
    .sort()
  // `argv` is made of `command`: one reason is enough.
  return differ.includes('command') ? differ.filter((key) => key !== 'argv') : differ
}

/**
 * Whether a change of `key` reaches what runs without a restart. `live` names keys, or parts of them with dots: of
 * `deployment.pre_start` only that part is live.
 */
export const isLiveChange = (key: string, before: unknown, after: unknown, live: readonly string[]): boolean => {
  if (live.includes(key) || isSame(before, after)) return true
  if (!isMap(before) || !isMap(after)) return false
  const parts = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...parts].every((part) => isLiveChange(`${key}.${part}`, before[part], after[part], live))
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Names of what both are made of besides their keys, and what differs. What only one has follows from its keys. */
export const changedInputs = ({ inputs: old = {} }: ResolvedService, after: ResolvedService): readonly string[] =>
  Object.entries(after.inputs ?? {})
    .filter(([name, print]) => Object.hasOwn(old, name) && old[name] !== print)
    .map(([name]) => name)

/** The same JSON, whatever the order of keys. */
export const isSame = (a: unknown, b: unknown): boolean => {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const keys = Object.keys(a)
  return (
    Array.isArray(a) === Array.isArray(b) &&
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && isSame(a[key as keyof typeof a], b[key as keyof typeof b]))
  )
}

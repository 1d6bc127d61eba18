/** Names that stand for something of the instance that is asked: `{slot}`, `{service}`, `${SYSG_REPLICA}`. */

/** Which variable of the instance's environment each stands for. */
const variables: Readonly<Record<string, string>> = {
  slot: 'SYSG_SLOT',
  candidate_slot: 'SYSG_CANDIDATE_SLOT',
  active_slot: 'SYSG_ACTIVE_SLOT',
  service: 'SYSG_SERVICE',
}

const placeholder = /\{(slot|candidate_slot|active_slot|service)\}|\$\{(SYSG_[A-Z0-9_]+)\}/g

/**
 * Every string in `value` with its placeholders filled in.
 *
 * @throws {Error} when the environment lacks what one stands for.
 */
export const filledIn = (value: unknown, env: Readonly<Record<string, string>>): unknown => {
  if (typeof value === 'string') return fill(value, env)
  if (Array.isArray(value)) return value.map((item) => filledIn(item, env))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filledIn(item, env)]))
}

const fill = (text: string, env: Readonly<Record<string, string>>): string =>
  text.replaceAll(placeholder, (written, name: string | undefined, variable: string | undefined) => {
    const found = env[variable ?? variables[name ?? ''] ?? '']
    if (found === undefined) throw new Error(`\`${written}\` has no value here: this instance has none`)
    return found
  })

/** The text with something in place of every placeholder: to check the form of the rest. */
export const withExamples = (text: string): string => text.replaceAll(placeholder, '1')

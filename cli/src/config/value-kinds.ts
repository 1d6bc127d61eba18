/** What a value of code that a user wrote looks like. */

/** By its parts: a plugin may have a copy of zod of its own. */
export const isSchema = (value: unknown): boolean => isMap(value) && '_zod' in value

export const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

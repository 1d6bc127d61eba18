/** Durations and sizes as people write them, in a config in which they are numbers by now. */
import type { z } from 'zod'
import { formatDuration } from './duration.ts'
import { childOf, concrete } from './schema-keys.ts'
import { formatSize } from './size.ts'
import { duration, size } from './values.ts'

type Schema = z.core.$ZodType

/**
 * @param config - Keys with their values in resolved form. @param schemas - Of these keys.
 * @returns each by its path: `{ 'backoff.initial': '1s' }`.
 */
export const writtenValues = (
  config: Readonly<Record<string, unknown>>,
  schemas: (key: string) => Schema | undefined,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(config).flatMap(([key, value]) => {
      const schema = schemas(key)
      return schema === undefined ? [] : written(value, [schema], key)
    }),
  )

const written = (value: unknown, schemas: readonly Schema[], path: string): readonly (readonly [string, string])[] => {
  const here = schemas.flatMap((schema) => concrete(schema, (one) => formatOf(one) !== undefined))
  if (typeof value === 'number') {
    const format = here.map(formatOf).find((known) => known !== undefined)
    return format === undefined ? [] : [[path, format(value)]]
  }
  if (typeof value !== 'object' || value === null) return []
  const parts = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  return parts.flatMap(([part, inner]: [number | string, unknown]) =>
    written(
      inner,
      here.flatMap((schema) => childOf(schema, part)),
      `${path}.${part}`,
    ),
  )
}

/** A schema that was given a description or further checks is another one, which takes its input as before. */
const inputOf = (schema: Schema): unknown => (schema._zod.def as { in?: unknown }).in

const formatOf = (schema: Schema): ((value: number) => string) | undefined => {
  if (inputOf(schema) === inputOf(duration)) return formatDuration
  return inputOf(schema) === inputOf(size) ? formatSize : undefined
}

/** Which keys a schema knows at a place: for suggestions. */
import type { z } from 'zod'

type Schema = z.core.$ZodType

/** Keys of the map that `schema` wants at `path`; of all of them when it takes several kinds. */
export const keysAt = (schema: Schema, path: readonly PropertyKey[]): readonly string[] => {
  let here = concrete(schema)
  for (const part of path) here = here.flatMap((each) => child(each, part)).flatMap(concrete)
  return [...new Set(here.flatMap((each) => Object.keys(definition(each).shape ?? {})))]
}

/** The parts of zod's definitions that lead from one schema to another. */
interface Definition {
  readonly type: string
  readonly shape?: Readonly<Record<string, Schema>>
  readonly innerType?: Schema
  readonly in?: Schema
  readonly out?: Schema
  readonly options?: readonly Schema[]
  readonly left?: Schema
  readonly right?: Schema
  readonly getter?: () => Schema
  readonly element?: Schema
  readonly valueType?: Schema
  readonly catchall?: Schema
  readonly items?: readonly Schema[]
}

const definition = (schema: Schema): Definition => schema._zod.def

/** Without wrappers (defaults, transforms, unions): what really looks at the input. */
const concrete = (schema: Schema): readonly Schema[] => {
  const { type, innerType, in: input, out, options, left, right, getter } = definition(schema)
  const next =
    type === 'pipe' && input !== undefined && definition(input).type === 'transform'
      ? [out]
      : [innerType, input, ...(options ?? []), left, right, getter?.()]
  const found = next.filter((each) => each !== undefined)
  return found.length === 0 ? [schema] : found.flatMap(concrete)
}

const child = (schema: Schema, part: PropertyKey): readonly Schema[] => {
  const { shape, element, valueType, items, catchall } = definition(schema)
  if (typeof part === 'number') return [items?.[part] ?? element].filter((each) => each !== undefined)
  const known = typeof part === 'string' && shape !== undefined && Object.hasOwn(shape, part) ? shape[part] : undefined
  return [known ?? valueType ?? catchall].filter((each) => each !== undefined)
}

/** What a schema wants at a place: which keys, for suggestions, and what kind of value. */
import type { z } from 'zod'

type Schema = z.core.$ZodType

/** Keys of the map that `schema` wants at `path`; of all of them when it takes several kinds. */
export const keysAt = (schema: Schema, path: readonly PropertyKey[]): readonly string[] => {
  let here = concrete(schema)
  for (const part of path) here = here.flatMap((each) => childOf(each, part)).flatMap((each) => concrete(each))
  return [...new Set(here.flatMap((each) => Object.keys(shapeOf(each))))]
}

/** The keys of a map with what each of them wants; nothing of anything else. */
export const shapeOf = (schema: Schema): Readonly<Record<string, Schema>> => definition(schema).shape ?? {}

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

/** Without wrappers (defaults, transforms, unions): what really looks at the input. `isOne`: not looked into. */
export const concrete = (schema: Schema, isOne: (schema: Schema) => boolean = () => false): readonly Schema[] => {
  if (isOne(schema)) return [schema]
  const { type, innerType, in: input, out, options, left, right, getter } = definition(schema)
  const next =
    type === 'pipe' && input !== undefined && definition(input).type === 'transform'
      ? [out]
      : [innerType, input, ...(options ?? []), left, right, getter?.()]
  const found = next.filter((each) => each !== undefined)
  return found.length === 0 ? [schema] : found.flatMap((each) => concrete(each, isOne))
}

/** What it wants of one of its parts. */
export const childOf = (schema: Schema, part: PropertyKey): readonly Schema[] => {
  const { shape, element, valueType, items, catchall } = definition(schema)
  if (typeof part === 'number') return [items?.[part] ?? element].filter((each) => each !== undefined)
  const known = typeof part === 'string' && shape !== undefined && Object.hasOwn(shape, part) ? shape[part] : undefined
  return [known ?? valueType ?? catchall].filter((each) => each !== undefined)
}

/** Where a key belongs that nobody knows at the place where it stands. */
import type { z } from 'zod'
import { formatPath, type Path } from './problems.ts'
import type { OwnedKey } from './schema.ts'
import { concrete, shapeOf } from './schema-keys.ts'

type Keys = ReadonlyMap<string, Pick<OwnedKey, 'schema'>>

/** Deeper than any map of a config is: a schema may hold itself. */
const mostParts = 5

/**
 * @param at - The map that it stands in, from the one that has `keys`; empty for that one itself.
 * @returns a hint; `undefined` when no place is likelier than the others.
 */
export const whereItBelongs = (key: string, at: readonly PropertyKey[], keys: Keys): string | undefined => {
  const place = nearestPlace(key, keys)
  if (place === undefined || !isTelling(place, at)) return undefined
  if (place.length === 1) return `\`${key}\` stands beside \`${String(at[0])}\`, not in it.`
  return `Did you mean \`${formatPath(place)}\`?`
}

/** The place with the shortest path, when there is but one of this length. */
const nearestPlace = (key: string, keys: Keys): Path | undefined => {
  if (keys.has(key)) return [key]
  let level: readonly (readonly [Path, z.core.$ZodType])[] = [...keys].map(([name, { schema }]) => [[name], schema])
  for (let parts = 2; parts <= mostParts; parts += 1) {
    level = level.flatMap(([path, schema]) =>
      concrete(schema).flatMap((each) =>
        Object.entries(shapeOf(each)).map(([name, inner]) => [[...path, name], inner] as const),
      ),
    )
    const found = new Map(level.filter(([path]) => path.at(-1) === key).map(([path]) => [formatPath(path), path]))
    if (found.size > 0) return found.size === 1 ? [...found.values()][0] : undefined
  }
  return undefined
}

/** A plain word such as `max` may mean anything, unless it is missing a map around it only. */
const isTelling = (place: Path, at: readonly PropertyKey[]): boolean =>
  String(place.at(-1)).includes('_') || at.every((part, index) => place[index] === part)

/** `{slot}`-like names in commands and arguments. Pure. */

/** What the names stand for. `slot`: of the instance, or to switch to; one that is not known is left as written. */
export interface Places {
  readonly service: string
  readonly slot?: string | undefined
  /** What serves. */
  readonly active_slot?: string | undefined
  /** What is to serve next. */
  readonly candidate_slot?: string | undefined
}

export const placeNames = ['slot', 'active_slot', 'candidate_slot', 'service'] as const

export const fillIn = (text: string, places: Places): string =>
  text.replaceAll(/(?<!\$)\{(slot|active_slot|candidate_slot|service)\}/g, (written, name: keyof Places) => {
    return places[name] ?? written
  })

/** Whether a text names a slot. */
export const namesSlot = (text: string): boolean => /(?<!\$)\{(slot|active_slot|candidate_slot)\}/.test(text)

/**
 * Names in braces that look as if they were meant to be filled in, and are none. Braces mean much to shells, `awk` and
 * `jq`, so only words about what can be filled in count.
 */
export const unknownPlaces = (text: string): readonly string[] =>
  [...text.matchAll(/(?<![$\w{])\{([A-Za-z][\w-]*)\}/g)]
    .map(([, name = '']) => name)
    .filter((name) => !placeNames.some((known) => known === name))
    .filter((name) => /slot|port|candidate|active|service/i.test(name))

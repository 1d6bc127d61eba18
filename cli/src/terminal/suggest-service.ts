/** A name that no service has: an error that names the one somebody probably meant. */

/** Loads the core, which is dear: only for the error. @returns a `SysgError` with the code `SYSG_SERVICE_UNKNOWN`. */
const unknownService = async (name: string, known: Iterable<string>, hint: string | undefined): Promise<Error> => {
  const { nearest, SysgError } = await import('@systemg/core')
  const error = new SysgError('SYSG_SERVICE_UNKNOWN', { name, suggestion: nearest(name, known) })
  return hint === undefined ? error : SysgError.of(error.code, { message: error.message, hint })
}

/**
 * @param hint - What to do, when something better is known than the nearest name.
 * @throws {SysgError} `SYSG_SERVICE_UNKNOWN` for the first of `names` that is not known.
 */
export const requireKnown = async (
  names: readonly string[],
  known: readonly string[],
  hint?: string,
): Promise<void> => {
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) throw await unknownService(unknown, known, hint)
}

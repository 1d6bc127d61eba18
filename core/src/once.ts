/** What is made when it is first asked for. */

/**
 * A value that takes a while to make, such as a schema: a supervisor that comes back makes none before it answers.
 *
 * @returns What gives it, the same every time.
 */
export const once = <T>(make: () => T): (() => T) => {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}

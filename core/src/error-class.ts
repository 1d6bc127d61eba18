/**
 * `instanceof` for errors that come from another copy of this package: `sysg` has one in its bundle, and a plugin may bring
 * one along.
 */
export const isOfClass =
  (name: string) =>
  (thrown: unknown): boolean =>
    thrown instanceof Error && thrown.name === name

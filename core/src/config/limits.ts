/** What a service may be called, and how many of it there may be: also where no config is read. */

/** What names a service. */
export const serviceNamePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/

/** Instances a service may have at once, in a config or by `scale`. */
export const maxReplicas = 1_000

/** The environment of an instance, made of layers. Pure. */

/** Where a variable comes from, weakest first. `core` sets what only it knows (`SYSG_…`); nothing overrides that. */
export type Origin = 'supervisor' | 'global file' | 'global vars' | 'service file' | 'service vars' | 'core'

/** Variables of one origin; `null` takes away what weaker layers gave. */
export interface Layer {
  readonly origin: Origin
  /** The env file that they stand in, as the config names it. */
  readonly file?: string
  readonly vars: ReadonlyMap<string, string | null>
}

/** A variable, and where it comes from. */
export interface Merged extends Pick<Layer, 'origin' | 'file'> {
  readonly value: string
}

export interface Inheritance {
  /** Pass on the supervisor's environment, or only `loginVariables`. */
  readonly inherit: boolean
  /** Names, with `*` for any text, not to take from outside the service. */
  readonly strip: readonly string[]
}

/** What a service gets of the supervisor's environment with `inherit: false`: what systemd and a login give, and the locale. */
const loginVariables = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LC_*', 'TZ', 'TMPDIR'] as const

/** Later layers win. Each variable with the layer it is from. */
export const mergeLayers = (layers: readonly Layer[], { inherit, strip }: Inheritance): ReadonlyMap<string, Merged> => {
  const merged = new Map<string, Merged>()
  const isLogin = matcher(loginVariables)
  const isStripped = matcher(strip)
  for (const { origin, file, vars } of layers) {
    const isOwn = origin.startsWith('service') || origin === 'core'
    for (const [name, value] of vars) {
      if (!isOwn && isStripped(name)) continue
      if (origin === 'supervisor' && !inherit && !isLogin(name)) continue
      if (value === null) merged.delete(name)
      else merged.set(name, { value, origin, ...(file === undefined ? {} : { file }) })
    }
  }
  return merged
}

/** Whether a name fits one of the patterns; `*` stands for any text. */
const matcher = (patterns: readonly string[]): ((name: string) => boolean) => {
  const expressions = patterns.map((pattern) => {
    const escaped = pattern.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
    return new RegExp(`^${escaped.replaceAll('\\*', '.*')}$`, 's')
  })
  return (name) => expressions.some((expression) => expression.test(name))
}

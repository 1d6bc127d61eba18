/** One entry of `plugins`: a name, a path, `{ use, ...options }`, or in code the plugin itself. */
export interface PluginEntry {
  /** What is used: a name or path, or the plugin itself. */
  readonly use: unknown
  readonly options: Readonly<Record<string, unknown>>
  /** `enabled` of the entry: no option of the plugin, but whether it is used at all. */
  readonly enabled: unknown
  /** For messages. */
  readonly label: string
}

/** `undefined` for what is none of these: the schema of `plugins` reports that. */
export const pluginEntry = (written: unknown): PluginEntry | undefined => {
  if (typeof written === 'string' && written.trim() !== '')
    return { use: written, options: {}, enabled: true, label: written }
  if (typeof written !== 'object' || written === null || Array.isArray(written)) return undefined
  if (!('use' in written)) return { use: written, options: {}, enabled: true, label: labelOf(written) }
  const { use, enabled = true, ...options } = written as { use: unknown; enabled?: unknown }
  return { use, options, enabled, label: labelOf(use) }
}

/** An entry as plain data: plugins that are objects by their name. */
export const plainEntry = (written: unknown): unknown => {
  const entry = pluginEntry(written)
  if (entry === undefined || typeof written === 'string') return written
  const { label, enabled, options } = entry
  if (enabled === true && Object.keys(options).length === 0) return label
  return { use: label, ...(enabled === true ? {} : { enabled }), ...options }
}

const labelOf = (use: unknown): string => {
  if (typeof use === 'string') return use
  const name = typeof use === 'object' && use !== null && 'name' in use ? use.name : undefined
  return typeof name === 'string' && name !== '' ? name : 'without a name'
}

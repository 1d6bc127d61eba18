/** One entry of `plugins`: a name, a path, `{ use, ...options }`, or in code the plugin itself. */
export interface PluginEntry {
  /** What is used: a name or path, or the plugin itself. */
  readonly use: unknown
  readonly options: Readonly<Record<string, unknown>>
  /** For messages. */
  readonly label: string
}

/** `undefined` for what is none of these: the schema of `plugins` reports that. */
export const pluginEntry = (written: unknown): PluginEntry | undefined => {
  if (typeof written === 'string' && written.trim() !== '') return { use: written, options: {}, label: written }
  if (typeof written !== 'object' || written === null || Array.isArray(written)) return undefined
  if (!('use' in written)) return { use: written, options: {}, label: labelOf(written) }
  const { use, ...options } = written
  return { use, options, label: labelOf(use) }
}

/** An entry as plain data: plugins that are objects by their name. */
export const plainEntry = (written: unknown): unknown => {
  const entry = pluginEntry(written)
  if (entry === undefined || typeof written === 'string') return written
  return Object.keys(entry.options).length === 0 ? entry.label : { use: entry.label, ...entry.options }
}

const labelOf = (use: unknown): string => {
  if (typeof use === 'string') return use
  const name = typeof use === 'object' && use !== null && 'name' in use ? use.name : undefined
  return typeof name === 'string' && name !== '' ? name : 'without a name'
}

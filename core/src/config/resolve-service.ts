/** One service: from what the user wrote to what code reads. */
import { checkKeys } from './check-keys.ts'
import { argvOf, displayCommand } from './command.ts'
import { labelOf } from './diagnose.ts'
import { shown } from './expectation.ts'
import { resolvePath } from './file-paths.ts'
import type { Findings } from './findings.ts'
import { isPlainMap } from './interpolate.ts'
import type { Path } from './problems.ts'
import { serviceNamePattern } from './limits.ts'
import type { ComposedSchema } from './schema.ts'
import { isSecretName } from '../secrets.ts'
import type { ResolvedService } from './types.ts'

export interface ServiceInput {
  readonly name: string
  readonly raw: unknown
  readonly schema: ComposedSchema
  readonly folder: string
  /** The system's `stop_timeout`, ms. */
  readonly stopTimeoutMs: number
  readonly isExpanded: (path: Path) => boolean
}

/** The service with every default; keys with mistakes (reported) have their default, too. `undefined` when it is none at all. */
export const resolveService = (input: ServiceInput, findings: Findings): ResolvedService | undefined => {
  const { name, raw, schema, folder, isExpanded } = input
  const at = ['services', name]
  checkName(name, findings)
  if (!isPlainMap(raw)) {
    reportNoMap(name, raw, schema, findings)
    return undefined
  }
  const elsewhere = (key: string): string | undefined =>
    schema.system.has(key) ? `\`${key}\` belongs to the top level, beside \`services\`.` : undefined
  const checked = checkKeys({ keys: schema.service, raw, at, elsewhere, isExpanded }, findings)
  const { command, exec, working_dir: workingDir, stop_timeout: stopTimeout, ...rest } = checked
  const source = { command: command as string | undefined, exec: exec as readonly string[] | undefined }
  checkCommand(source, at, findings)
  return {
    ...rest,
    name,
    command: displayCommand(source),
    argv: argvOf(source),
    working_dir: resolvePath(folder, (workingDir as string | undefined) ?? '.'),
    stop_timeout: (stopTimeout as number | undefined) ?? input.stopTimeoutMs,
  } as unknown as ResolvedService
}

/** Words that `exit_when` knows. */
export const exitWords: readonly string[] = ['never', 'any-failed', 'all-done']

const checkName = (name: string, findings: Findings): void => {
  const reserved = exitWords.includes(name) ? 'that is a word of `exit_when`' : undefined
  const long = name.length > 63 ? `it has ${name.length} characters` : 'it has a character that is not allowed there'
  const why = reserved ?? (serviceNamePattern.test(name) ? undefined : name === '' ? 'it is empty' : long)
  if (why !== undefined) findings.add(['SYSG_CONFIG_SERVICE_NAME', { name, why }], ['services', name], { part: 'key' })
}

const reportNoMap = (name: string, raw: unknown, schema: ComposedSchema, findings: Findings): void => {
  const path = ['services', name]
  const hint = 'Give it at least a `command`.'
  if (raw === null || raw === undefined) {
    findings.add(['SYSG_CONFIG_EMPTY', { what: labelOf(path), hint }], path)
    return
  }
  const [word = ''] = typeof raw === 'string' ? raw.split(/\s/, 1) : []
  const example = schema.service.has(word)
    ? `A colon is missing behind \`${word}\`.`
    : `Write \`${name}: { command: … }\`.`
  // It may be a variable that stands at the wrong place.
  const found = isSecretName(name) ? '' : `, not ${shown(raw)}`
  const message = `${labelOf(path)} must be a map of its keys${found}.`
  findings.add(['SYSG_CONFIG_VALUE', { message, hint: typeof raw === 'string' ? example : hint }], path)
}

const checkCommand = (source: { command?: unknown; exec?: unknown }, at: Path, findings: Findings): void => {
  const { command, exec } = source
  if (command !== undefined && exec !== undefined) {
    const message = `${labelOf(at)} has both \`command\` and \`exec\`.`
    findings.add(['SYSG_CONFIG_COMBINATION', { message, hint: 'Keep one of them.' }], [...at, 'exec'], { part: 'key' })
  }
  if (command !== undefined || exec !== undefined || findings.isQuiet([...at, 'exec'])) return
  const hint = 'Add `command` (a command line) or `exec` (a list).'
  findings.add(['SYSG_CONFIG_KEY_MISSING', { what: labelOf(at), key: 'command', hint }], [...at, 'command'])
}

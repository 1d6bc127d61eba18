/** Reads a Docker Compose file. Programs, environment, order and health carry over; containers do not. */
import { formatDuration, parseDuration, parseYaml } from '@systemg/core'
import type { Draft, ServiceDraft } from './draft.ts'
import { leftOver, listOf, mapOf, presentOf, textOf, textsOf, wholeNumberOf } from './foreign-value.ts'
import { shellWord } from './literal.ts'
import { renamedNote, serviceNamesFor } from './service-names.ts'

/** @throws {Error} saying why, when the file is no Compose file. */
export const fromCompose = async (text: string, source: string): Promise<Draft> => {
  const { value, problems } = await parseYaml({ text, file: source, readText: async () => undefined })
  const [problem] = problems
  if (problem !== undefined) throw new Error(`line ${problem.line ?? 1}: ${problem.message}`)
  const file = mapOf(value)
  const given = mapOf(file['services'])
  if (Object.keys(given).length === 0) throw new Error('it has no `services`')
  const names = serviceNamesFor(Object.keys(given))
  const services = Object.entries(given).map(([name, service]) => serviceOf(name, mapOf(service), names))
  return {
    source,
    system: {},
    services,
    notes: leftOver(file, ['version', 'services', 'name']),
  }
}

const carried = [
  ...['command', 'entrypoint', 'environment', 'env_file', 'depends_on', 'restart', 'healthcheck', 'scale', 'build'],
  ...['stop_signal', 'stop_grace_period', 'profiles', 'container_name', 'init', 'tty', 'stdin_open'],
  'deploy.replicas',
]

const withFlatDeploy = ({ deploy, ...rest }: Service): Service => {
  const flat = Object.entries(mapOf(deploy)).map(([key, value]) => [`deploy.${key}`, value] as const)
  return { ...rest, ...Object.fromEntries<unknown>(flat) }
}

type Service = Readonly<Record<string, unknown>>

const serviceOf = (given: string, service: Service, names: ReadonlyMap<string, string>): ServiceDraft => {
  const name = names.get(given) ?? given
  const program = programOf(service)
  const isLeftOut = program === undefined || listOf(service['profiles']).length > 0
  const keys = {
    ...(program ?? { command: `echo 'say here how to run ${name}'; exit 1` }),
    working_dir: folderOf(service['build']),
    depends_on: dependenciesOf(service['depends_on'], names),
    env: presentOf({ vars: environmentOf(service['environment']), file: filesOf(service['env_file']) }),
    ...restartOf(service),
    health_check: healthOf(mapOf(service['healthcheck'])),
    stop_signal: textOf(service['stop_signal']),
    stop_timeout: textOf(service['stop_grace_period']),
    replicas: wholeNumberOf(service['scale']) ?? wholeNumberOf(mapOf(service['deploy'])['replicas']),
    skip: isLeftOut ? true : undefined,
  }
  const notes = [
    ...renamedNote(given, name),
    ...(program === undefined ? ['runs what its image says: put that program here, then remove `skip`'] : []),
    ...(listOf(service['profiles']).length > 0 ? ['has profiles, so it is skipped unless it is started by name'] : []),
    ...optionalFiles(service['env_file']),
    ...leftOver(withFlatDeploy(service), carried),
  ]
  return { name, keys, notes }
}

/** A command of Compose is no shell's, but its words are the same. */
const programOf = ({ entrypoint, command }: Service): Readonly<Record<string, unknown>> | undefined => {
  const parts = [entrypoint, command].filter((part) => (Array.isArray(part) ? part.length > 0 : Boolean(textOf(part))))
  if (parts.length === 0) return undefined
  if (parts.every((part) => Array.isArray(part))) return { exec: parts.flatMap(textsOf).map(expanded) }
  return {
    command: parts
      .map((part) => expanded(Array.isArray(part) ? textsOf(part).map(shellWord).join(' ') : (textOf(part) ?? '')))
      .join(' '),
  }
}

/** Compose also expands `$VAR`, and takes one that is not set as empty. */
const expanded = (text: string): string =>
  text.replace(/\$\$|\$\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)/g, (whole, braced?: string, bare?: string) => {
    const name = braced ?? bare
    return name === undefined ? whole : `\${${name}:-}`
  })

/** A build's context, unless it is a repository. */
const folderOf = (build: unknown): string | undefined => {
  const context = textOf(build) ?? textOf(mapOf(build)['context'])
  return context === undefined || /:\/\/|^git@/.test(context) ? undefined : expanded(context)
}

const conditions: Readonly<Record<string, string>> = {
  service_started: 'started',
  service_healthy: 'ready',
  service_completed_successfully: 'completed',
}

const dependenciesOf = (value: unknown, names: ReadonlyMap<string, string>): unknown => {
  const known = (other: string): readonly string[] => [names.get(other)].filter((name) => name !== undefined)
  if (Array.isArray(value)) return value.length === 0 ? undefined : textsOf(value).flatMap(known)
  const edges = Object.entries(mapOf(value)).flatMap(([other, options]) =>
    known(other).map((name) => {
      const { condition, required } = mapOf(options)
      const edge = {
        condition: conditions[textOf(condition) ?? ''],
        on_failure: required === false ? 'ignore' : undefined,
      }
      return [name, presentOf(edge) ?? {}] as const
    }),
  )
  return edges.length === 0 ? undefined : Object.fromEntries(edges)
}

/** `NAME` without a value is passed on from outside, as everything is here. */
const environmentOf = (value: unknown): unknown => {
  const entries = Array.isArray(value)
    ? textsOf(value).flatMap((text) =>
        text.includes('=') ? [[text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)] as const] : [],
      )
    : Object.entries(mapOf(value)).flatMap(([name, item]) =>
        textOf(item) === undefined ? [] : [[name, textOf(item) ?? ''] as const],
      )
  return presentOf(Object.fromEntries(entries.map(([name, text]) => [name, expanded(text)])))
}

const filesOf = (value: unknown): unknown => {
  const files = listed(value).flatMap((item) => (isOptional(item) ? [] : (pathOf(item) ?? [])))
  return files.length === 0 ? undefined : files.map(expanded)
}

const optionalFiles = (value: unknown): readonly string[] => {
  const files = listed(value).flatMap((item) => (isOptional(item) ? (pathOf(item) ?? []) : []))
  return files.length === 0 ? [] : [`env_file may be missing, here it must be there: ${files.join(', ')}`]
}

const listed = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value])

const isOptional = (item: unknown): boolean => mapOf(item)['required'] === false

const pathOf = (item: unknown): string | undefined => textOf(item) ?? textOf(mapOf(item)['path'])

const restartOf = ({ restart }: Service): Readonly<Record<string, unknown>> => {
  const [policy, times] = (textOf(restart) ?? '').split(':', 2)
  if (policy === 'always' || policy === 'unless-stopped') return { restart_policy: 'always' }
  return policy === 'on-failure' ? { restart_policy: 'on-failure', max_restarts: wholeNumberOf(times) } : {}
}

const healthOf = (check: Readonly<Record<string, unknown>>): unknown => {
  const test = Array.isArray(check['test']) ? textsOf(check['test']) : ['CMD-SHELL', ...textsOf(check['test'])]
  const [kind, ...words] = test
  if (check['disable'] === true || kind === 'NONE' || words.length === 0) return undefined
  return presentOf({
    command: expanded(kind === 'CMD' ? words.map(shellWord).join(' ') : words.join(' ')),
    interval: textOf(check['interval']),
    attempt_timeout: textOf(check['timeout']),
    retries: wholeNumberOf(check['retries']),
    start_interval: textOf(check['start_interval']),
    total_timeout: startLimitOf(check),
  })
}

/** Compose gives up on a start after `retries` failures behind `start_period`. Defaults are Docker's. */
const startLimitOf = (check: Readonly<Record<string, unknown>>): string | undefined => {
  const period = parseDuration(textOf(check['start_period']) ?? '0s')
  const interval = parseDuration(textOf(check['interval']) ?? '30s')
  const limitMs = (period ?? Number.NaN) + (wholeNumberOf(check['retries']) ?? 3) * (interval ?? Number.NaN)
  return limitMs > 0 ? formatDuration(limitMs) : undefined
}

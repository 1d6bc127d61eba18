/** Reads a pm2 ecosystem file: `{ apps: [{ name, script, args, … }] }`. */
import { basename, extname } from 'node:path'
import type { Draft, ServiceDraft } from './draft.ts'
import { leftOver, mapOf, presentOf, textOf, textsOf, wholeNumberOf } from './foreign-value.ts'
import { literal, shellWord } from './literal.ts'
import { renamedNote, serviceNamesFor } from './service-names.ts'

type App = Readonly<Record<string, unknown>>

/** @throws {Error} saying why, when the value is no ecosystem. */
export const fromPm2 = (value: unknown, source: string): Draft => {
  const file = mapOf(value)
  const isList = 'apps' in file
  const apps = isList ? file['apps'] : value
  const given = (Array.isArray(apps) ? apps : [apps]).map(mapOf).filter((app) => textOf(app['script']) !== undefined)
  if (given.length === 0) throw new Error('it has no `apps` with a `script`')
  const named = new Map(given.map((app) => [nameOf(app), app]))
  const names = serviceNamesFor([...named.keys()])
  const services = [...named].map(([name, app]) => serviceOf(name, names.get(name) ?? name, app))
  return {
    source,
    system: {},
    services,
    notes: isList ? leftOver(file, ['apps']) : [],
  }
}

const nameOf = (app: App): string => {
  const [script = ''] = (textOf(app['script']) ?? '').trim().split(/\s+/)
  return textOf(app['name']) ?? basename(script, extname(script))
}

const carried = [
  ...['name', 'script', 'args', 'interpreter', 'interpreter_args', 'node_args', 'cwd', 'env', 'instances', 'exec_mode'],
  ...[
    'autorestart',
    'max_restarts',
    'restart_delay',
    'exp_backoff_restart_delay',
    'kill_timeout',
    'watch',
    'ignore_watch',
  ],
]

const serviceOf = (given: string, name: string, app: App): ServiceDraft => {
  const instances = app['instances']
  const replicas = wholeNumberOf(instances)
  const isCluster = app['exec_mode'] === 'cluster' || app['exec_mode'] === 'cluster_mode'
  return {
    name,
    keys: {
      command: literal(commandOf(app)),
      working_dir: literalOf(textOf(app['cwd'])),
      env: presentOf({ vars: presentOf(mapValues(mapOf(app['env']), (item) => literalOf(textOf(item)))) }),
      // pm2 restarts whatever ends, unless it is told not to.
      restart_policy: app['autorestart'] === false ? 'never' : 'always',
      max_restarts: wholeNumberOf(app['max_restarts']),
      backoff: backoffOf(app),
      stop_timeout: milliseconds(app['kill_timeout']),
      replicas: replicas !== undefined && replicas > 1 ? replicas : undefined,
      watch: watchOf(app),
    },
    notes: [
      ...renamedNote(given, name),
      ...(instances !== undefined && (replicas ?? 0) < 1
        ? [`instances: ${JSON.stringify(instances)} means one for each processor: say how many with \`replicas\``]
        : []),
      ...(isCluster ? ['ran in cluster mode: `sockets` lets replicas share a port'] : []),
      ...leftOver(app, carried),
    ],
  }
}

const interpreters: Readonly<Record<string, string>> = {
  ...{ '.js': 'node', '.mjs': 'node', '.cjs': 'node', '.ts': 'node', '.py': 'python3', '.rb': 'ruby' },
  ...{ '.sh': 'bash', '.php': 'php', '.pl': 'perl' },
}

const commandOf = (app: App): string => {
  // pm2 takes what follows a space for arguments.
  const [script = '', ...inScript] = (textOf(app['script']) ?? '').trim().split(/\s+/)
  const interpreter = textOf(app['interpreter']) ?? interpreters[extname(script)] ?? 'none'
  const before = ['interpreter_args', 'node_args'].flatMap((key) => argumentsOf(app[key]))
  const program = interpreter === 'none' ? [script] : [shellWord(interpreter), ...before, shellWord(script)]
  return [...program, ...inScript, ...argumentsOf(app['args'])].join(' ')
}

/** A list is words; a text holds several already. */
const argumentsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? textsOf(value).map(shellWord) : textsOf(value)

const backoffOf = (app: App): unknown => {
  const growing = milliseconds(app['exp_backoff_restart_delay'])
  // The ceiling of pm2.
  return growing === undefined ? milliseconds(app['restart_delay']) : { initial: growing, max: '15s', factor: 1.5 }
}

const milliseconds = (value: unknown): string | undefined => {
  const number = wholeNumberOf(value)
  return number === undefined || number === 0 ? undefined : `${number}ms`
}

const watchOf = (app: App): unknown => {
  const { watch } = app
  const paths = watch === true ? ['.'] : watch === false ? [] : textsOf(watch)
  if (paths.length === 0) return undefined
  const ignore = textsOf(app['ignore_watch'])
  return ignore.length === 0 ? paths : { paths, ignore }
}

const literalOf = (text: string | undefined): string | undefined => (text === undefined ? undefined : literal(text))

const mapValues = (map: App, change: (value: unknown) => unknown): Record<string, unknown> =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]))

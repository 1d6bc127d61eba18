import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { resolveConfig, type ResolvedSystem } from '../../../core/src/config/index.ts'
import { definePlugin, type Plugin } from '../../../core/src/plugin.ts'
import { dotenv, load, type Loaded, restart } from './load-config.ts'

/** The resolved system of a config without mistakes. */
const good = async (text: string, options: Parameters<typeof load>[1] = {}): Promise<ResolvedSystem> => {
  const { system, problems } = await load(text, options)
  expect(problems).toEqual([])
  if (system === undefined) throw new Error('no system')
  return system
}

const commandOf = async (text: string, env: Record<string, string> = {}): Promise<string | undefined> =>
  (await good(text, { env })).services.a?.command

describe('a resolved system', () => {
  it('has every default filled in, is plain JSON, and keeps the order of the file', async () => {
    const system = await good(
      'services:\n  web: {command: node app.js, depends_on: [db]}\n  db: {exec: [pg, "a b"]}\n',
      { plugins: [] },
    )
    expect(system).toEqual({
      project: { id: 'app-1a2b', name: 'app' },
      folder: '/app',
      stop_timeout: 10_000,
      max_concurrent_starts: Number.MAX_SAFE_INTEGER,
      exit_when: 'never',
      services: {
        web: {
          name: 'web',
          command: 'node app.js',
          argv: ['node', 'app.js'],
          working_dir: '/app',
          depends_on: { db: { condition: 'ready', on_failure: 'stop' } },
          startup_grace: 250,
          stop_signal: 'SIGTERM',
          stop_timeout: 10_000,
          skip: false,
          replicas: 1,
          success_exit_codes: [0],
        },
        db: expect.objectContaining({ command: "pg 'a b'", argv: ['pg', 'a b'], depends_on: {} }) as unknown,
      },
    })
    expect(JSON.parse(JSON.stringify(system))).toEqual(system)
    expect(Object.keys(system.services)).toEqual(['web', 'db'])
  })

  it('has what the config says', async () => {
    const system = await good(`version: 1
project: shop
stop_timeout: 3s
max_concurrent_starts: 4
respawn: true
exit_when: a.b
x-anything: [1]
services:
  a.b:
    command: |
      run it
    working_dir: ../srv/./x
    depends_on: { c: , d: { condition: completed, on_failure: ignore } }
    startup_grace: 2
    stop_signal: int
    skip: "test -e /skip"
    replicas: 0
    success_exit_codes: [0, 3]
  c: { command: x, stop_timeout: 1m30s }
  d: { command: x, skip: true }
`)
    expect(system).toMatchObject({
      project: { id: 'shop', name: 'shop' },
      stop_timeout: 3_000,
      max_concurrent_starts: 4,
      respawn: true,
      exit_when: 'a.b',
      services: {
        'a.b': {
          command: 'run it',
          argv: ['run', 'it'],
          working_dir: '/srv/x',
          depends_on: {
            c: { condition: 'ready', on_failure: 'stop' },
            d: { condition: 'completed', on_failure: 'ignore' },
          },
          startup_grace: 2_000,
          stop_signal: 'SIGINT',
          stop_timeout: 3_000,
          skip: 'test -e /skip',
          replicas: 0,
          success_exit_codes: [0, 3],
        },
        c: { stop_timeout: 90_000 },
        d: { skip: true },
      },
    })
    expect(system).not.toHaveProperty('x-anything')
    expect(system).not.toHaveProperty('version')
  })

  it.each([
    ['{ id: shop }', { id: 'shop', name: 'shop' }],
    ['{ name: My Shop }', { id: 'app-1a2b', name: 'My Shop' }],
    ['{ id: shop, name: My Shop }', { id: 'shop', name: 'My Shop' }],
  ])('is called as `project: %s` says', async (project, expected) => {
    expect((await good(`project: ${project}\nservices: {a: {command: x}}`)).project).toEqual(expected)
  })

  it('may have no services yet, when the config says so', async () => {
    expect((await good('services: {}')).services).toEqual({})
  })

  it('has the keys of plugins, on the top level and in services', async () => {
    const plugin = definePlugin({
      name: 'x',
      system: { webhooks: z.array(z.string()).default([]) },
      service: { cron: z.strictObject({ expression: z.string() }).optional() },
    })
    const system = await good(
      'webhooks: [u]\nservices: {a: {command: x, cron: {expression: "* * * * *"}}, b: {command: x}}',
      { plugins: [plugin] },
    )
    expect(system).toMatchObject({ webhooks: ['u'], services: { a: { cron: { expression: '* * * * *' } } } })
    expect(system.services.b).not.toHaveProperty('cron')
  })

  it('goes with its warnings', async () => {
    const { system, problems } = await load('services:\n  a: {command: x}\n  b: {command: x, depends_on: [a, a]}')
    expect(problems.map(({ severity }) => severity)).toEqual(['warning'])
    expect(system?.services.b?.depends_on).toEqual({ a: { condition: 'ready', on_failure: 'stop' } })
  })

  it('may have thousands of services in one chain', async () => {
    const services = Array.from(
      { length: 5_000 },
      (_, n) => [`s${n}`, { command: 'x', depends_on: n === 0 ? [] : [`s${n - 1}`] }] as const,
    )
    expect(
      Object.keys((await good(JSON.stringify({ services: Object.fromEntries(services) }), { plugins: [] })).services),
    ).toHaveLength(5_000)
  })
})

describe('variables', () => {
  it('come from the caller, then the global env, then the service, the nearest first', async () => {
    const text =
      'env: {vars: {B: global, C: global}}\nservices:\n  a:\n    command: x ${A} ${B} ${C}\n    env: {vars: {C: own}}\n'
    expect(await commandOf(text, { A: 'caller', B: 'caller', C: 'caller' })).toBe('x caller global own')
  })

  it('come from files that plugins read, whose path may hold variables', async () => {
    const text = 'services:\n  a:\n    command: x ${PORT}\n    env: {file: "${STAGE}.env"}\n'
    const system = await good(text, { env: { STAGE: 'dev' }, files: { '/app/dev.env': 'PORT=80\n' } })
    expect(system.services.a).toMatchObject({ command: 'x 80', env: { file: 'dev.env' } })
  })

  it('may be defined by each other, in any order, over levels', async () => {
    const text =
      'env: {vars: {HOST: "db.${ZONE}"}}\nservices:\n  a:\n    command: x ${URL}\n    env: {vars: {URL: "${SCHEME}://${HOST}/${PATH_}", PATH_: "${LAST}/z", LAST: y, SCHEME: "${S:-http}"}}\n'
    const system = await good(text, { env: { ZONE: 'eu' } })
    expect(system.services.a?.command).toBe('x http://db.eu/y/z')
    expect(system.services.a).toMatchObject({ env: { vars: { URL: 'http://db.eu/y/z' } } })
  })

  it('that are defined by their own older value mean the one outside', async () => {
    const text =
      'env: {vars: {P: "/global:${P}"}}\nservices:\n  a:\n    command: x ${P}\n    env: {vars: {P: "/own:${P}"}}\n'
    const system = await good(text, { env: { P: '/bin' } })
    expect(system.services.a).toMatchObject({
      command: 'x /own:/global:/bin',
      env: { vars: { P: '/own:/global:/bin' } },
    })
  })

  it('become numbers and truth values where those are wanted', async () => {
    const text =
      'respawn: ${R}\nservices:\n  a:\n    command: x\n    replicas: ${N:-3}\n    backoff: {factor: "${F:-1.5}"}\n    success_exit_codes: [0, "${C:-7}"]\n'
    expect(await good(text, { env: { R: 'true' } })).toMatchObject({
      respawn: true,
      services: { a: { replicas: 3, backoff: { factor: 1.5 }, success_exit_codes: [0, 7] } },
    })
  })

  it('stay text where text is wanted', async () => {
    expect(await good('services: {a: {command: "${N}", env: {vars: {A: "${N}"}}}}', { env: { N: '5' } })).toMatchObject(
      {
        services: { a: { command: '5', env: { vars: { A: '5' } } } },
      },
    )
  })

  it('of the launch are left alone', async () => {
    expect(await commandOf('services: {a: {command: "x --port 80${SYSG_REPLICA} {slot} $HOME $${X}"}}')).toBe(
      'x --port 80${SYSG_REPLICA} {slot} $HOME ${X}',
    )
  })

  it('may be used for names of dependencies', async () => {
    const system = await good('services: {a: {command: x, depends_on: ["${DB}"]}, pg: {command: x}}', {
      env: { DB: 'pg' },
    })
    expect(Object.keys(system.services.a?.depends_on ?? {})).toEqual(['pg'])
  })

  it('that the config names are told, for a client to send', async () => {
    const { variables } = await load(
      'x-a: ${IGNORED}\nplugins: [{use: p, token: "${TOKEN}"}]\nservices: {a: {command: "${A:-${B}} $C $${D} ${SYSG_E}"}}',
    )
    expect(variables).toEqual(['A', 'B', 'TOKEN'])
  })

  const broken = async (text: string): Promise<Loaded> => {
    const result = await load(text)
    expect(result.system).toBeUndefined()
    return result
  }

  it('that need one that is missing are reported where they are defined, and nowhere else', async () => {
    const { places } = await broken(
      'services:\n  a:\n    command: x ${URL}\n    stop_timeout: ${URL}\n    env: {vars: {URL: "http://${NOPE}"}}\n',
    )
    expect(places).toEqual(['5:31 SYSG_CONFIG_VARIABLE_UNDEFINED'])
  })

  it('that need each other are one circle', async () => {
    const { places, problems } = await broken(
      'services:\n  a:\n    command: x ${A}\n    env: {vars: {A: "${B}", B: "${C}", C: "${A}", D: "${A}"}}\n',
    )
    expect(places).toEqual(['4:21 SYSG_CONFIG_VARIABLE_CIRCLE'])
    expect(problems[0]?.message).toBe('These variables refer to each other in a circle: A, B, C, D.')
  })

  it('that grow by each other are a circle, too', async () => {
    const { system, places } = await load(
      'services:\n  a:\n    command: x\n    env: {vars: {A: "${B}x", B: "${A}y"}}\n',
      { env: { A: '', B: '' } },
    )
    expect(system).toBeUndefined()
    expect(places).toEqual([expect.stringContaining('SYSG_CONFIG_VARIABLE_CIRCLE')])
  })

  it('that are defined by themselves and nowhere else are undefined', async () => {
    expect((await broken('services:\n  a:\n    command: x ${A}\n    env: {vars: {A: "${A}"}}\n')).places).toEqual([
      '4:22 SYSG_CONFIG_VARIABLE_UNDEFINED',
    ])
  })

  it('of a definition with another mistake are not called undefined', async () => {
    expect((await broken('services:\n  a:\n    command: x ${A}\n    env: {vars: {A: 1}}\n')).places).toEqual([
      '4:21 SYSG_CONFIG_VALUE',
    ])
  })

  it('called like a method of objects are undefined', async () => {
    expect((await broken('services: {a: {command: "${constructor} ${toString}"}}')).places).toHaveLength(2)
  })

  it('whose file is missing are reported by the plugin that reads it', async () => {
    const { problems } = await broken('services:\n  a:\n    command: x\n    env: {file: gone.env}\n')
    expect(problems).toMatchObject([
      {
        code: 'SYSG_PLUGIN_FAILED',
        line: 4,
        column: 10,
        message: 'Plugin `dotenv` failed in `variables`: gone.env does not exist.',
      },
    ])
  })

  it('are asked for by reading each file once', async () => {
    const reads: string[] = []
    await resolveConfig({
      value: { services: { a: { command: '${A}', env: { file: 'e' } }, b: { command: '${A}', env: { file: 'e' } } } },
      file: '/app/sysg.config.ts',
      folder: '/app',
      plugins: [{ plugin: dotenv }],
      env: {},
      readText: async (path) => {
        reads.push(path)
        return 'A=1'
      },
      projectDefault: { id: 'a', name: 'a' },
    })
    expect(reads).toEqual(['/app/e'])
  })
})

describe('plugins', () => {
  const checking = (check: Plugin['check']): Plugin =>
    definePlugin({ name: 'rules', ...(check === undefined ? {} : { check }) })

  it('find combinations that cannot work, at the place they name', async () => {
    const plugin = checking(({ services }) =>
      Object.values(services)
        .filter(({ replicas }) => replicas > 1)
        .map(({ name }) => ({
          path: ['services', name, 'replicas'],
          message: 'Too many.',
          hint: 'Fewer.',
          code: 'SYSG_RULES_MANY',
        })),
    )
    const { problems, system } = await load('services:\n  a: {command: x}\n  b:\n    command: x\n    replicas: 2\n', {
      plugins: [plugin],
    })
    expect(problems).toMatchObject([
      { code: 'SYSG_RULES_MANY', message: 'Too many.', hint: 'Fewer.', line: 5, column: 15 },
    ])
    expect(system).toBeUndefined()
  })

  it('check what is sound of a config with mistakes, and are not blamed for stumbling over the rest', async () => {
    const finds = checking(() => [{ path: ['services', 'b'], message: 'Found.' }])
    const stumbles = definePlugin({
      name: 'stumbles',
      check: ({ services }) => [
        { path: [], message: services.a?.name.length.toFixed() ?? (undefined as unknown as string).trim() },
      ],
    })
    const { problems } = await load('services:\n  a:\n  b: {command: x, replicas: many}\n', {
      plugins: [finds, stumbles],
    })
    expect(problems.map(({ message }) => message)).toEqual([
      'Service `a` is empty.',
      'Found.',
      '`replicas` must be a whole number, not `many`.',
    ])
  })

  it('that throw in a check of a sound config are named', async () => {
    const plugin = checking(() => {
      throw new Error('boom')
    })
    const { problems } = await load('services: {a: {command: x}}', { plugins: [plugin] })
    expect(problems).toMatchObject([{ code: 'SYSG_PLUGIN_FAILED', message: 'Plugin `rules` failed in `check`: boom.' }])
  })

  it('that claim one key are a mistake', async () => {
    const twin = definePlugin({ name: 'twin', service: { backoff: z.string() } })
    const { problems } = await load('services: {a: {command: x}}', { plugins: [restart, twin] })
    expect(problems.map(({ code }) => code)).toEqual(['SYSG_PLUGIN_KEY_TAKEN'])
  })

  it('in a config that is code are not looked into', async () => {
    const plugin = definePlugin({ name: 'p', service: { p: z.string().default('${NOT_A_REFERENCE}') } })
    const { problems } = await resolveConfig({
      value: { plugins: [plugin], services: { a: { command: 'x', replicas: undefined } } },
      file: '/app/sysg.config.ts',
      folder: '/app',
      plugins: [{ plugin }],
      env: {},
      readText: async () => undefined,
      projectDefault: { id: 'a', name: 'a' },
    })
    expect(problems).toEqual([])
  })
})

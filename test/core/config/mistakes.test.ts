import {
  children,
  cron,
  deploy,
  health,
  lifecycleCommands,
  logs,
  metrics,
  restart as restartPlugin,
} from '@systemg/plugins'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { formatProblem } from '../../../core/src/config/index.ts'
import { definePlugin } from '../../../core/src/plugin.ts'
import { dotenv, load, restart } from './load-config.ts'

const everyKind = `services:
  web:
    command: ./web --port \${PORT}
    stop_timeout: soon
    depends_on: [db, cahce]
  db:
    comand: postgres
    replicas: many
    depends_on:
      web: { condition: started }
  cache:
    exec: [redis-server, --save "no
    restart_policy: alway
`

describe('mistakes of every kind in one file', () => {
  it('are all reported, each with its line, marker, expectation and suggestion', async () => {
    const { problems, files, system } = await load(everyKind)
    const shown = problems.map((each) => formatProblem(each, files.get(each.file), { folder: '/app' })).join('\n\n')
    expect(system).toBeUndefined()
    expect(shown).toBe(`systemg.yaml:3:27
  3 |     command: ./web --port \${PORT}
    |                           ^^^^^^^
  \`PORT\` is not set.
  Set it, give a default (\`\${PORT:-…}\`), or leave it to the shell: \`$PORT\` or \`$\${PORT}\`.
  SYSG_CONFIG_VARIABLE_UNDEFINED

systemg.yaml:4:19
  4 |     stop_timeout: soon
    |                   ^^^^
  \`stop_timeout\` must be a duration such as \`10s\`, not \`soon\`.
  Whole numbers with ms, s, m, h or d, the largest first (\`1m30s\`); a bare number is seconds.
  SYSG_CONFIG_VALUE

systemg.yaml:5:18
  5 |     depends_on: [db, cahce]
    |                  ^^
  Services depend on each other in a circle: web → db → web.
  Remove one of these \`depends_on\` entries.
  SYSG_DEPENDENCY_CYCLE

systemg.yaml:5:22
  5 |     depends_on: [db, cahce]
    |                      ^^^^^
  \`web\` depends on \`cahce\`, which is not a service of this config.
  Did you mean \`cache\`?
  SYSG_DEPENDENCY_UNKNOWN

systemg.yaml:7:5
  7 |     comand: postgres
    |     ^^^^^^
  \`comand\` is not a key that can stand here.
  Did you mean \`command\`?
  SYSG_CONFIG_KEY_UNKNOWN

systemg.yaml:8:15
  8 |     replicas: many
    |               ^^^^
  \`replicas\` must be a whole number, not \`many\`.
  SYSG_CONFIG_VALUE

systemg.yaml:12:11
  12 |     exec: [redis-server, --save "no
     |           ^
  This \`[\` is never closed.
  Add the missing \`]\`.
  SYSG_CONFIG_YAML

systemg.yaml:13:21
  13 |     restart_policy: alway
     |                     ^^^^^
  \`restart_policy\` must be \`never\`, \`on-failure\` or \`always\`, not \`alway\`.
  Did you mean \`always\`?
  SYSG_CONFIG_VALUE`)
  })
})

describe('a mistake', () => {
  it.each<[string, string, string[]]>([
    ['an empty file', '', ['1:1 SYSG_CONFIG_EMPTY']],
    ['a list as config', '- a', ['1:1 SYSG_CONFIG_VALUE']],
    ['no services', 'version: "1"', ['1:1 SYSG_CONFIG_KEY_MISSING']],
    ['empty services', 'services:\n', ['1:1 SYSG_CONFIG_EMPTY']],
    ['a list of services', 'services:\n  - web\n', ['1:1 SYSG_CONFIG_VALUE']],
    ['an empty service', 'services:\n  web:\n', ['2:3 SYSG_CONFIG_EMPTY']],
    ['a service that is a command', 'services:\n  web: ./run\n', ['2:8 SYSG_CONFIG_VALUE']],
    ['no command', 'services:\n  web:\n    replicas: 2\n', ['2:3 SYSG_CONFIG_KEY_MISSING']],
    ['command and exec', 'services:\n  web:\n    command: x\n    exec: [x]\n', ['4:5 SYSG_CONFIG_COMBINATION']],
    ['an exec without a program', 'services:\n  web:\n    exec: ["", x]\n', ['3:11 SYSG_CONFIG_VALUE']],
    ['an empty exec', 'services:\n  web:\n    exec: []\n', ['3:11 SYSG_CONFIG_VALUE']],
    ['a blank command', 'services:\n  web: {command: "  "}', ['2:18 SYSG_CONFIG_VALUE']],
    ['an empty value', 'services:\n  web:\n    command:\n', ['3:5 SYSG_CONFIG_VALUE']],
    ['a bad name', 'services:\n  "we b": {command: x}', ['2:3 SYSG_CONFIG_SERVICE_NAME']],
    ['a long name', `services:\n  ${'a'.repeat(64)}: {command: x}`, ['2:3 SYSG_CONFIG_SERVICE_NAME']],
    ['a reserved name', 'services:\n  never: {command: x}', ['2:3 SYSG_CONFIG_SERVICE_NAME']],
    ['a service depending on itself', 'services:\n  a: {command: x, depends_on: [a]}', ['2:32 SYSG_DEPENDENCY_CYCLE']],
    [
      'a dependency called constructor',
      'services:\n  a: {command: x, depends_on: [constructor]}',
      ['2:32 SYSG_DEPENDENCY_UNKNOWN'],
    ],
    [
      'a key deep inside',
      'services:\n  a:\n    command: x\n    backoff: {initail: 1s}\n',
      ['4:15 SYSG_CONFIG_KEY_UNKNOWN'],
    ],
    [
      'a bad condition',
      'services:\n  a: {command: x}\n  b:\n    command: x\n    depends_on: {a: {condition: service_completed}}\n',
      ['5:33 SYSG_CONFIG_VALUE'],
    ],
    ['exit_when naming nothing', 'exit_when: wbe\nservices:\n  web: {command: x}', ['1:12 SYSG_CONFIG_COMBINATION']],
    [
      'completed on replicas',
      'services:\n  a: {command: x, replicas: 2}\n  b: {command: x, depends_on: {a: {condition: completed}}}',
      ['3:47 SYSG_CONFIG_COMBINATION'],
    ],
    [
      'a dependency listed twice',
      'services:\n  a: {command: x}\n  b: {command: x, depends_on: [a, a]}',
      ['3:35 SYSG_CONFIG_COMBINATION'],
    ],
    ['a bad reference', 'services:\n  a:\n    command: echo ${X%.*}\n', ['3:19 SYSG_CONFIG_VARIABLE_SYNTAX']],
    [
      'a reference in a block of text',
      'services:\n  a:\n    command: |\n      one\n      two ${X}\n',
      ['5:11 SYSG_CONFIG_VARIABLE_UNDEFINED'],
    ],
    ['a wrong project', 'project: My Shop\nservices: {a: {command: x}}', ['1:10 SYSG_CONFIG_VALUE']],
    ['a wrong version', 'version: 3\nservices: {a: {command: x}}', ['1:10 SYSG_CONFIG_VALUE']],
    ['a home folder', 'services:\n  a: {command: x, working_dir: ~/x}', ['2:32 SYSG_CONFIG_VALUE']],
    [
      'two circles',
      'services:\n  a: {command: x, depends_on: [b]}\n  b: {command: x, depends_on: [a]}\n  c: {command: x, depends_on: [d]}\n  d: {command: x, depends_on: [c]}\n',
      ['2:32 SYSG_DEPENDENCY_CYCLE', '4:32 SYSG_DEPENDENCY_CYCLE'],
    ],
  ])('is found: %s', async (_, text, places) => {
    expect((await load(text)).places).toEqual(places.map((place) => expect.stringContaining(place) as string))
  })

  it('of notation that leaves nothing to read is the only one', async () => {
    const { problems } = await load('['.repeat(20_000))
    expect(problems.map(({ code, line }) => [code, line])).toEqual([['SYSG_CONFIG_YAML', 1]])
  })

  it('of an alias is reported once, where it is written', async () => {
    const text =
      'x-base: &base\n  command: x\n  replicas: many\nservices:\n  a: *base\n  b: {<<: *base}\n  c: {<<: *base, replicas: 2}\n'
    expect((await load(text)).places).toEqual(['3:13 SYSG_CONFIG_VALUE'])
  })

  it('in an included file is reported there', async () => {
    const files = { '/app/web.yaml': 'command: x\nreplicas: many\n' }
    expect((await load('services:\n  web: !include web.yaml\n', { files })).places).toEqual([
      '/app/web.yaml:2:11 SYSG_CONFIG_VALUE',
    ])
  })

  it('of the notation is not reported a second time as a missing or empty value', async () => {
    for (const line of [
      'command: "./x',
      'command: [x',
      'command: a: b',
      '\tcommand: x',
      'command: @x',
      'command: !include gone.yaml',
      'command: *nope',
    ]) {
      const { problems } = await load(`services:\n  web:\n    ${line}\n  db:\n    command: y\n`)
      expect(
        problems.map(({ code }) => code),
        line,
      ).toEqual([expect.stringMatching(/_(YAML|INCLUDE)$/)])
    }
  })

  it('of the notation hides no unknown dependency and no circle elsewhere', async () => {
    const text =
      'services:\n  a:\n    command: [x\n    depends_on: [b]\n  b:\n    command: x\n    depends_on: [a, nope]\n'
    expect((await load(text)).places).toEqual([
      '3:14 SYSG_CONFIG_YAML',
      '4:18 SYSG_DEPENDENCY_CYCLE',
      '7:21 SYSG_DEPENDENCY_UNKNOWN',
    ])
  })

  it('under a misspelt key is found, too, and rules go by the key that was meant', async () => {
    const text = 'services:\n  a:\n    command: x\n    dependson: [nope]\n    backof: {initial: soon}\n'
    expect((await load(text)).places).toEqual([
      '4:5 SYSG_CONFIG_KEY_UNKNOWN',
      '4:17 SYSG_DEPENDENCY_UNKNOWN',
      '5:5 SYSG_CONFIG_KEY_UNKNOWN',
      '5:23 SYSG_CONFIG_VALUE',
    ])
  })

  it('in the spelling of `services` is the only one, and what is below it is checked', async () => {
    const { problems } = await load('service:\n  a: {comand: x}\n')
    expect(problems.map(({ line, hint }) => [line, hint])).toEqual([
      [1, 'Did you mean `services`?'],
      [2, 'Did you mean `command`?'],
    ])
  })

  it('in a config that is code has a path and no line', async () => {
    const { resolveConfig } = await import('../../../core/src/config/index.ts')
    const { problems } = await resolveConfig({
      value: { services: { web: { command: 3 } } },
      file: '/app/sysg.config.ts',
      folder: '/app',
      plugins: [],
      env: {},
      readText: async () => undefined,
      projectDefault: { id: 'a', name: 'a' },
    })
    expect(problems).toEqual([
      {
        code: 'SYSG_CONFIG_VALUE',
        message: '`command` must be text, not `3`.',
        hint: 'Put it in quotes: `"3"`.',
        path: ['services', 'web', 'command'],
        file: '/app/sysg.config.ts',
        line: null,
        column: null,
        endColumn: null,
        severity: 'error',
      },
    ])
  })
})

describe('words', () => {
  const first = async (line: string): Promise<string[]> => {
    const { problems } = await load(`services:\n  a: {command: x}\n  b:\n    command: y\n    ${line}\n`)
    return problems.flatMap(({ message, hint }) => [message, hint ?? ''])
  }

  it.each<[string, string, string]>([
    ['replicas: "3"', '`replicas` must be a whole number, not `3`.', 'Remove the quotes.'],
    ['replicas: 1.5', '`replicas` must be a whole number, not `1.5`.', ''],
    ['replicas: -1', '`replicas` must be at least 0, not `-1`.', ''],
    ['replicas:', '`replicas` must be a whole number, but it is empty.', ''],
    ['stop_timeout: [1]', '`stop_timeout` must be a duration such as `10s`, not a list.', ''],
    [
      'stop_signal: SIGTREM',
      '`stop_signal` must be a signal such as `SIGTERM`, not `SIGTREM`.',
      'Did you mean `SIGTERM`?',
    ],
    [
      'depends_on: a',
      '`depends_on` must be a list of services such as `[db]`, or a map, not `a`.',
      'Write a list: `[a]`.',
    ],
    ['skip: {a: 1}', '`skip` must be `true` or `false` or text, not a map.', ''],
    [
      'backoff: soon',
      '`backoff` must be a duration such as `10s` or a map, not `soon`.',
      'Whole numbers with ms, s, m, h or d, the largest first (`1m30s`); a bare number is seconds.',
    ],
    ['backoff: {factor: 0}', '`backoff.factor` must be at least 1, not `0`.', ''],
    ['success_exit_codes: true', '`success_exit_codes` must be a list, not `true`.', ''],
    [
      'success_exit_codes: {a: 1}',
      '`success_exit_codes` must be a list, not a map.',
      'Begin it with `-`: a list may have one entry.',
    ],
    ['success_exit_codes: 3', '`success_exit_codes` must be a list, not `3`.', 'Write a list: `[3]`.'],
    ['success_exit_codes: [0, 300]', '`success_exit_codes[1]` must be at most 255, not `300`.', ''],
    ['env: {vars: {A: 1}}', '`env.vars.A` must be text, not `1`.', 'Put it in quotes: `"1"`.'],
    ['env: {vars: {API_TOKEN: 12345}}', '`env.vars.API_TOKEN` must be text.', 'Put it in quotes.'],
    ['restart-policy: always', '`restart-policy` is not a key that can stand here.', 'Did you mean `restart_policy`?'],
    [
      'exit_when: never',
      '`exit_when` is not a key that can stand here.',
      '`exit_when` belongs to the top level, beside `services`.',
    ],
    [
      'frobnicate: 1',
      '`frobnicate` is not a key that can stand here.',
      'Remove it, or list in `plugins` the plugin that brings it.',
    ],
    [
      'depends_on: {a: {condition: service_healthy}}',
      '`depends_on.a.condition` must be `ready` (healthy, if it has a health check), `started` or `completed`, not `service_healthy`.',
      '',
    ],
    [
      'depends_on: {a: {condition: service_started}}',
      '`depends_on.a.condition` must be `ready` (healthy, if it has a health check), `started` or `completed`, not `service_started`.',
      'Did you mean `started`?',
    ],
    ['working_dir: ~/x', '`working_dir` must not begin with `~`.', 'Only shells know `~`. Write `${HOME}/…`.'],
  ])('for %s', async (line, message, hint) => {
    expect(await first(line)).toEqual([message, hint])
  })

  it('name the keys of a map that got something else, or a key that none of its own is like', async () => {
    const { problems } = await load('services:\n  a: {command: x, env: [A=1]}\n  b: {command: x, env: {PORT: 80}}', {
      plugins: [dotenv],
    })
    const hint = 'Its keys are `vars`, `file`.'
    expect(problems.map(({ line, hint: given }) => [line, given])).toEqual([
      [2, hint],
      [3, hint],
    ])
  })

  it.each([
    ['hooks: { pre_start: ./build }', 'Did you mean `deployment.pre_start`?'],
    ['pre_start: ./build', 'Did you mean `deployment.pre_start`?'],
    ['retries: 5', 'Did you mean `health_check.retries`?'],
    ['spawn: { mode: dynamic, depth: 2 }', 'Did you mean `spawn.limits.depth`?'],
    ['deployment: { working_dir: / }', '`working_dir` stands beside `deployment`, not in it.'],
    // Of several places, none is more likely than the others.
    ['timeout: 3s', 'Did you mean `stop_timeout`?'],
    // A plain word may mean anything.
    ['logs: { max: 10M }', 'Its keys are `sink`, `max_bytes`, `max_files`.'],
  ])('say where a key belongs that stands at the wrong place: %s', async (line, hint) => {
    const { problems } = await load(`services:\n  a:\n    command: x\n    ${line}\n`, {
      plugins: [children, cron, deploy, health, lifecycleCommands, logs, restartPlugin],
    })
    expect(problems.map(({ code, hint: given }) => [code, given])).toEqual([['SYSG_CONFIG_KEY_UNKNOWN', hint]])
  })

  it('say at the top level in which of its keys another belongs', async () => {
    const { problems } = await load('retention: 1h\nservices: {a: {command: x}}', { plugins: [metrics] })
    expect(problems.map(({ hint }) => hint)).toEqual(['Did you mean `metrics.retention`?'])
  })

  it('end with a full stop, also those of plugins', async () => {
    const strict = definePlugin({ name: 'strict', check: () => [{ path: ['services', 'a'], message: 'so not' }] })
    const { problems } = await load('services: {a: {command: x}}', { plugins: [strict] })
    expect(problems.map(({ message }) => message)).toEqual(['so not.'])
  })

  it('point a service at the top level below `services`', async () => {
    const { problems } = await load('web: {command: x}\ncommand: y\nservices: {a: {command: x}}')
    expect(problems.map(({ hint }) => hint)).toEqual([
      'This looks like a service: it belongs below `services`.',
      '`command` belongs to a service, below `services`.',
    ])
  })

  it('say of a misspelt key that must be there only how it is spelt', async () => {
    const steps = definePlugin({
      name: 'steps',
      service: { step: z.strictObject({ name: z.string(), wait: z.number() }).optional() },
    })
    const { problems } = await load('services:\n  a: { command: x, step: { nmae: b } }\n', {
      plugins: [steps],
    })
    expect(problems.map(({ code, hint }) => [code, hint])).toEqual([
      ['SYSG_CONFIG_KEY_MISSING', 'Add `wait`.'],
      ['SYSG_CONFIG_KEY_UNKNOWN', 'Did you mean `name`?'],
    ])
  })

  it('do not quote a secret that stands where a service should', async () => {
    const { problems } = await load('services:\n  a: { command: x }\n  DB_PASSWORD: hunter22\n')
    expect(problems).toMatchObject([{ message: 'Service `DB_PASSWORD` must be a map of its keys.' }])
    expect(JSON.stringify(problems)).not.toContain('hunter22')
  })

  it('say that a colon is missing when a service is its only key and value', async () => {
    const { problems } = await load('services:\n  web:\n    command ./x\n')
    expect(problems[0]).toMatchObject({ line: 3, column: 5, hint: 'A colon is missing behind `command`.' })
  })

  it('show a project id that would do', async () => {
    const { problems } = await load('project: My Shop!\nservices: {a: {command: x}}')
    expect(problems[0]?.hint).toBe('For example: `project: { id: my-shop, name: "My Shop!" }`.')
  })

  it('are plain for every kind of check a plugin may use', async () => {
    const plugin = definePlugin({
      name: 'kinds',
      service: {
        url: z.url().optional(),
        pair: z.tuple([z.string(), z.number()]).optional(),
        kind: z
          .discriminatedUnion('type', [
            z.strictObject({ type: z.literal('a') }),
            z.strictObject({ type: z.literal('b'), n: z.number() }),
          ])
          .optional(),
        even: z.number().multipleOf(2).optional(),
        odd: z
          .number()
          .refine((n) => n % 2 === 1)
          .optional(),
        said: z
          .string()
          .refine(() => false, 'Only on Sundays')
          .optional(),
        name: z.string().min(3).optional(),
        list: z.array(z.string()).min(2).optional(),
        codes: z.record(z.string().regex(/^\d+$/), z.string()).optional(),
        flag: z.boolean().optional(),
      },
    })
    const text = `services:
  a:
    command: x
    url: nope
    pair: [x, y]
    kind: { type: c }
    even: 3
    odd: 2
    said: x
    name: x
    list: [x]
    codes: { a: x }
    flag: "yes"
`
    const { problems } = await load(text, { plugins: [plugin] })
    expect(problems.map(({ line, message, hint }) => [line, message, hint])).toEqual([
      [4, '`url` must be a URL such as `http://localhost:8080/`, not `nope`.', null],
      [5, '`pair[1]` must be a number, not `y`.', null],
      [6, '`kind.type` must be `a` or `b`, not `c`.', null],
      [7, '`even` must be a multiple of 2, not `3`.', null],
      [8, '`odd` is not valid.', null],
      [9, '`said`: Only on Sundays.', null],
      [10, '`name` must be text with at least 3 characters, not `x`.', null],
      [11, '`list` must be a list with at least 2 entries, not a list.', null],
      [12, '`codes.a` must be text like /^\\d+$/, not `a`.', null],
      [
        13,
        '`flag` must be `true` or `false`, not `yes`.',
        'Write `true` without quotes: that is how YAML 1.2 spells it.',
      ],
    ])
  })

  it('name the plugin whose schema throws', async () => {
    const plugin = definePlugin({
      name: 'bad',
      service: {
        x: z
          .string()
          .transform((): string => {
            throw new Error('boom')
          })
          .optional(),
      },
    })
    const { problems } = await load('services:\n  a: {command: x, x: "1"}', { plugins: [plugin, dotenv, restart] })
    expect(problems[0]).toMatchObject({
      code: 'SYSG_PLUGIN_FAILED',
      message: 'Plugin `bad` failed in `schema`: boom.',
      line: 2,
    })
  })
})

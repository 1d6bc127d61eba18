/** Commands that plugins of a config bring, by the built `sysg`. */
import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { Sandbox } from './sysg.ts'

const zod = createRequire(new URL('../../core/package.json', import.meta.url)).resolve('zod')

/** Its method counts in the supervisor; its commands ask for that, and do without. */
const counter = `{
  name: 'counter',
  commands: {
    count: {
      description: 'Count in the supervisor',
      positionals: '[word]',
      args: { by: z.int().default(1).describe('How many at once').meta({ alias: 'b' }) },
      async run({ args, positionals, control, print, err }) {
        const said = await control.call('counter.count', { by: args.by }, { onNotify: (method) => err(method + '\\n') })
        print(said, () => [positionals[0] ?? 'count', 'is ' + said.count])
      },
    },
    'count-services': {
      description: 'Count the services of the config',
      run: async ({ config, print }) => print(Object.keys((await config()).services), () => 'done'),
    },
    'count-wrong': { description: 'Fail', run() { throw new TypeError('no fingers') } },
    'count-seven': { description: 'Say seven', run: () => 7 },
  },
  setup({ registerMethod }) {
    let count = 0
    registerMethod('counter.count', async ({ by }, { notify }) => {
      await notify('counter.counting', {})
      return { count: (count += by) }
    })
  },
}`
const services = 'services: { api: { command: "sleep 1000" }, db: { command: "sleep 1000" } }'

const configs: readonly (readonly [where: string, write: (box: Sandbox) => void])[] = [
  [
    'in a `sysg.config.ts`, as an object',
    (box) => {
      box.config(
        `import { z } from '${zod}'
        const counter: object = ${counter}
        const sleep = { command: 'sleep 1000' }
        export default { plugins: [counter], services: { api: sleep, db: sleep } }`,
        'sysg.config.ts',
      )
    },
  ],
  [
    'in a file that YAML names',
    (box) => {
      box.file('counter.ts', `import { z } from '${zod}'\nexport default ${counter}`)
      box.config(`plugins: [./counter.ts]\n${services}`)
    },
  ],
]

describe.each(configs)('a command of a plugin %s', (_where, write) => {
  it('asks the supervisor, or does without one, and its end is the end of `sysg`', async () => {
    await using box = new Sandbox()
    write(box)
    const nobody = await box.run('count')
    expect([nobody.code, nobody.stdout]).toEqual([3, ''])
    expect(nobody.stderr).toMatch(/^error: No supervisor runs .* \[SYSG_NO_SUPERVISOR\]$/m)
    expect(await box.run('count-services', '--json')).toMatchObject({ code: 0, stdout: '["api","db"]\n', stderr: '' })

    await box.sysg('start', '-d')
    expect(await box.run('count', 'this')).toMatchObject({
      ...{ code: 0, stdout: 'this\nis 1\n', stderr: 'counter.counting\n' },
    })
    expect((await box.run('count', '-b', '41', '--json')).stdout).toBe('{"count":42}\n')

    expect(await box.run('count-seven')).toMatchObject({ code: 7, stdout: '', stderr: '' })
    const wrong = await box.run('count-wrong')
    expect([wrong.code, wrong.stdout]).toEqual([1, ''])
    expect(wrong.stderr).toMatch(
      /^error: Plugin `counter` failed in `sysg count-wrong`: no fingers\. \[SYSG_PLUGIN_FAILED\]$/m,
    )
    expect(wrong.stderr).not.toMatch(/^ +at /m)
    expect((await box.run('count-wrong', '--log-level', 'debug')).stderr).toMatch(/^TypeError: no fingers\n +at /m)

    expect(await box.run('count', '--by', 'x')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('`--by`') as string,
    })
    expect(await box.run('count-seven', 'x')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("'x'") as string,
    })
  })

  it('is in the help, and what is misspelt is told apart', async () => {
    await using box = new Sandbox()
    write(box)
    expect(await box.sysg('--help')).toMatch(/count-services +Count the services of the config \(plugin counter\)/)
    const help = await box.sysg('count', '--help')
    expect(help).toMatch(/Count in the supervisor\. From the plugin counter/)
    expect(help).toMatch(/-b, --by=<number> +How many at once/)
    expect(await box.sysg('help', 'count')).toBe(help)
    expect(await box.sysg('plugins')).toMatch(/^counter .* count, count-services, count-wrong, count-seven/m)
    expect((await box.run('cuont')).stderr).toContain('There is no command `cuont`. Did you mean `count`?')
    expect((await box.run('stat')).stderr).toContain('There is no command `stat`. Did you mean `status`?')
  })
})

it('commands are those of the config that is named, wherever it stands', async () => {
  await using box = new Sandbox()
  box.config(services)
  box.file('counter.ts', `import { z } from '${zod}'\nexport default ${counter}`)
  box.config(`plugins: [./counter.ts]\n${services}`, 'other.yaml')
  expect(await box.run('count-seven')).toMatchObject({ code: 2 })
  for (const words of [
    ['count-seven', '-c', 'other.yaml'],
    ['--config=other.yaml', 'count-seven'],
  ])
    expect(await box.run(...words)).toMatchObject({ code: 7 })
  const gone = await box.run('count-seven', '-c', 'gone.yaml')
  expect([gone.code, gone.stderr]).toEqual([5, expect.stringContaining('SYSG_CONFIG_UNREADABLE')])
})

it('a config with mistakes keeps help and commands that need it not, and a plugin that does not load is told of', async () => {
  await using box = new Sandbox()
  box.file('counter.ts', `import { z } from '${zod}'\nexport default ${counter}`)
  box.config('plugins: [./counter.ts]\nservices: { api: { commandd: x } }')
  expect(await box.run('count-seven')).toMatchObject({ code: 7, stderr: '' })
  const config = await box.run('count-services')
  expect([config.code, config.stderr]).toEqual([5, expect.stringContaining('SYSG_CONFIG_INVALID')])

  box.file('counter.ts', 'throw new Error("no licence")')
  const unknown = await box.run('count-seven')
  expect([unknown.code, unknown.stdout]).toEqual([2, ''])
  expect(unknown.stderr).toContain(
    'There is no command `count-seven`. A plugin here could not be loaded: `sysg validate` says why.',
  )
  expect(await box.sysg('--help')).toContain('start')
})

it('a supervisor that runs without the plugin says so', async () => {
  await using box = new Sandbox()
  box.file('plain.ts', 'export default { name: "plain" }')
  box.config(`plugins: [./plain.ts]\n${services}`)
  await box.sysg('start', '-d')
  box.file('counter.ts', `import { z } from '${zod}'\nexport default ${counter}`)
  box.config(`plugins: [./counter.ts]\n${services}`)
  const before = await box.run('count')
  expect([before.code, before.stderr]).toEqual([1, expect.stringContaining('SYSG_PLUGIN_NOT_RUNNING')])
  await box.sysg('restart')
  expect((await box.run('count', '--json')).stdout).toBe('{"count":1}\n')
})

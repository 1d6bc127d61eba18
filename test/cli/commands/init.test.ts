import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { interpolateText, type ResolvedSystem } from '@systemg/core'
import { command } from '../../../cli/src/commands/init.ts'
import { loadConfig } from '../../../cli/src/config/load-config.ts'
import { firstPartyPlugins } from '../../../cli/src/first-party.ts'
import { literal } from '../../../cli/src/templates/literal.ts'
import { loadInNode } from '../config/load-in-node.ts'
import { runCommand, type Ran } from '../config/run-command.ts'
import { takesConfig } from '../config/takes-config.ts'
import { tempFolder } from '../config/temp-folder.ts'

const init = (cwd: string, values: Readonly<Record<string, string | boolean>> = {}, config?: string): Promise<Ran> =>
  runCommand(command, { cwd, values, globals: { config } })

const services = async (
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<ResolvedSystem['services']> => {
  const { system, problems } = await loadConfig({ cwd, env, firstParty: firstPartyPlugins() })
  expect(problems).toEqual([])
  return system?.services ?? {}
}

describe('sysg init', () => {
  it('writes a config that is valid and commented, and says what comes next', async () => {
    const cwd = tempFolder()
    const { code, out, err } = await init(cwd)
    expect({ code, out, err }).toEqual({
      code: 0,
      out: 'Wrote systemg.yaml\nWrote systemg.schema.json, with which editors check it\n',
      err: 'Next: edit it, then `sysg start`.\n',
    })
    expect(Object.keys(await services(cwd))).toEqual(['prepare', 'hello'])
    expect(readFileSync(join(cwd, 'systemg.yaml'), 'utf8')).toMatch(
      /^# yaml-language-server: \$schema=systemg\.schema\.json\n# /,
    )
    expect(readdirSync(cwd).sort()).toEqual(['systemg.schema.json', 'systemg.yaml'])
    const [schema, written] = ['systemg.schema.json', 'systemg.yaml'].map((name) =>
      readFileSync(join(cwd, name), 'utf8'),
    )
    expect(await takesConfig(schema ?? '', written ?? '')).toBe(true)
  })

  it('writes the config also when there is no room for the schema beside it, and says so', async () => {
    const cwd = tempFolder({ 'systemg.schema.json/a': 'a folder of somebody' })
    const { code, err } = await init(cwd)
    expect(code).toBe(0)
    expect(err).toContain("warning: systemg.schema.json can't be written: it is a folder.")
    expect(readdirSync(cwd).sort()).toEqual(['systemg.schema.json', 'systemg.yaml'])
  })

  it('writes the same system in TypeScript', { timeout: 30_000 }, async () => {
    const [yaml, typescript] = [tempFolder(), tempFolder()]
    await init(yaml)
    writeFileSync(join(typescript, 'package.json'), '{ "type": "commonjs" }')
    // This test's process resolves `systemg` otherwise than Node, so only what was written counts.
    await init(typescript, { format: 'ts' })
    const { system, problems, stderr } = await loadInNode(typescript)
    expect({ problems, stderr }).toEqual({ problems: [], stderr: '' })
    const withoutFolder = (all: ResolvedSystem['services'] | undefined) =>
      Object.values(all ?? {}).map((service) => ({ ...service, working_dir: '' }))
    expect(withoutFolder(system?.services)).toEqual(withoutFolder(await services(yaml)))
  })

  it('does not touch a config that is there, whatever its name, without --force', async () => {
    for (const name of ['systemg.yaml', 'sysg.yml', 'sysg.config.mjs']) {
      const cwd = tempFolder({ [name]: 'mine' })
      const { code, err } = await init(cwd)
      expect(code).toBe(1)
      expect(err).toContain(`${join(cwd, name)}.\nSYSG_INIT_EXISTS`)
      expect(readdirSync(cwd)).toEqual([name])
      expect(readFileSync(join(cwd, name), 'utf8')).toBe('mine')
    }
  })

  it('replaces it with --force, through a link, and leaves nothing else behind', async () => {
    const cwd = tempFolder({ 'real.yaml': 'old' })
    symlinkSync('real.yaml', join(cwd, 'systemg.yaml'))
    expect(await init(cwd, { force: true })).toMatchObject({ code: 0 })
    expect(readFileSync(join(cwd, 'real.yaml'), 'utf8')).toContain('services:')
    expect(readdirSync(cwd).sort()).toEqual(['real.yaml', 'systemg.schema.json', 'systemg.yaml'])
  })

  it('writes where --config says, and does not mind a config in a folder above', async () => {
    const cwd = tempFolder({ 'systemg.yaml': 'services: {}', 'sub/x': '' })
    expect(await init(join(cwd, 'sub'))).toMatchObject({ code: 0 })
    expect(await init(cwd, {}, 'other.yaml')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Wrote other\.yaml\n/) as string,
    })
    expect(existsSync(join(cwd, 'other.yaml'))).toBe(true)
  })

  it('says why it can not write', async () => {
    // Not even root may make files there.
    expect((await init('/sys')).err).toContain("can't be written: permission denied.\nSYSG_INIT_WRITE")
  })

  it('says why it can not write into a folder that is not there', async () => {
    const cwd = tempFolder()
    const { code, err } = await init(cwd, {}, 'nowhere/systemg.yaml')
    expect(code).toBe(1)
    expect(err).toContain("can't be written: there is no such file.\nSYSG_INIT_WRITE")
  })

  it('refuses an unknown format', async () => {
    expect(await init(tempFolder(), { format: 'toml' })).toMatchObject({ code: 2 })
  })

  it('mentions a file that could be imported', async () => {
    const { err } = await init(tempFolder({ Procfile: 'web: x' }))
    expect(err).toContain('`sysg init --from Procfile --force`')
  })
})

describe('sysg init --from a Procfile', () => {
  const procfile =
    'web: bundle exec puma -p $PORT -e ${RACK_ENV:-dev}\r\n# comment\n\nworker: FOO=$$ sidekiq\nnonsense\nrelease: rake db:migrate'

  it('carries over every process as it stands, with the ports that foreman gives', async () => {
    const cwd = tempFolder({ Procfile: procfile, '.env': 'RACK_ENV=production' })
    const { code, err } = await init(cwd, { from: 'Procfile' })
    expect(code).toBe(0)
    const { web, worker, release } = await services(cwd)
    expect(web?.command).toBe('bundle exec puma -p $PORT -e ${RACK_ENV:-dev}')
    expect(web?.env.vars).toEqual({ PORT: '5000' })
    expect(worker?.command).toBe('FOO=$$ sidekiq')
    expect(release?.command).toBe('rake db:migrate')
    expect(err).toContain('warning: not read: line 5 of Procfile')
    const text = readFileSync(join(cwd, 'systemg.yaml'), 'utf8')
    expect(text).toContain('# not read: line 5 of Procfile')
    expect(text).toContain('file: .env')
  })

  it('refuses one without processes, and writes nothing', async () => {
    const cwd = tempFolder({ Procfile: '# nothing\n' })
    const { code, err } = await init(cwd, { from: 'Procfile' })
    expect(code).toBe(1)
    expect(err).toContain('SYSG_INIT_IMPORT')
    expect(readdirSync(cwd)).toEqual(['Procfile'])
  })
})

const compose = `
name: shop
x-common: &common { restart: unless-stopped }
services:
  db:
    image: postgres:16
    environment: { POSTGRES_PASSWORD: "\${DB_PASS}", NOTHING: }
    ports: ["5432:5432"]
  migrate:
    build: ./api
    command: [npm, run, migrate, "it's $$HOME"]
    depends_on: { db: { condition: service_healthy } }
  api:
    <<: *common
    build: { context: ./api }
    entrypoint: ./entry.sh
    command: [start now, $HOST]
    environment: ["URL=http://\${HOST:-localhost}:80/", DEBUG]
    env_file: [{ path: ./missing.env, required: false }]
    depends_on:
      migrate: { condition: service_completed_successfully }
      db: { condition: service_started, required: false }
    stop_grace_period: 1m30s
    deploy: { replicas: 2, resources: {} }
  _tools:
    command: tail -f /dev/null
    profiles: [debug]
    depends_on: [api, nowhere]
    restart: on-failure:3
volumes: { data: {} }`

describe('sysg init --from a Compose file', () => {
  it('carries over programs, environment and order', async () => {
    const cwd = tempFolder({ 'docker-compose.yml': compose })
    expect(await init(cwd, { from: 'docker-compose.yml' })).toMatchObject({ code: 0 })
    const { db, migrate, api, tools } = await services(cwd, { HOST: 'h' })
    expect(db).toMatchObject({ skip: true, env: { vars: { POSTGRES_PASSWORD: '' } } })
    expect(migrate).toMatchObject({
      argv: ['npm', 'run', 'migrate', "it's $HOME"],
      working_dir: join(cwd, 'api'),
      depends_on: { db: { condition: 'ready', on_failure: 'stop' } },
    })
    expect(api).toMatchObject({
      argv: ['./entry.sh', 'start now', 'h'],
      restart_policy: 'always',
      stop_timeout: 90_000,
      replicas: 2,
      env: { vars: { URL: 'http://h:80/' } },
      depends_on: {
        migrate: { condition: 'completed', on_failure: 'stop' },
        db: { condition: 'started', on_failure: 'ignore' },
      },
    })
    expect(tools).toMatchObject({ skip: true, restart_policy: 'on-failure', max_restarts: 3 })
    expect(Object.keys(tools?.depends_on ?? {})).toEqual(['api'])
  })

  it('lists what it can not carry over, as warnings and as comments', async () => {
    const cwd = tempFolder({ 'docker-compose.yml': compose })
    const { err } = await init(cwd, { from: 'docker-compose.yml' })
    const text = readFileSync(join(cwd, 'systemg.yaml'), 'utf8')
    for (const note of [
      'not carried over: volumes',
      'not carried over: image, ports',
      'not carried over: deploy.resources',
      'env_file may be missing, here it must be there: ./missing.env',
      'was called "_tools"',
    ]) {
      expect(err).toContain(note)
      expect(text).toContain(`# ${note}\n`)
    }
  })

  it('carries a health check over, and gives the start the time that Compose gives it', async () => {
    const cwd = tempFolder({
      'compose.yaml':
        'services: { a: { command: x, healthcheck: { test: [CMD, pg_isready, -U, "a b"], interval: 5s, timeout: 3s, start_period: 10s, start_interval: 1s } } }',
    })
    expect(await init(cwd, { from: 'compose.yaml' })).toMatchObject({ code: 0 })
    expect(readFileSync(join(cwd, 'systemg.yaml'), 'utf8')).toContain(
      [
        '    health_check:',
        `      command: pg_isready -U 'a b'`,
        '      interval: 5s',
        '      attempt_timeout: 3s',
        '      start_interval: 1s',
        '      total_timeout: 25s',
      ].join('\n'),
    )
  })

  it('refuses what is no Compose file, and itself', async () => {
    const cwd = tempFolder({ 'a.yml': 'a: [', 'b.yml': 'a: 1', 'systemg.yaml': 'services: { a: { command: x } }' })
    expect((await init(cwd, { from: 'a.yml', force: true })).err).toContain('line 1: ')
    expect((await init(cwd, { from: 'b.yml', force: true })).err).toContain('it has no `services`')
    expect((await init(cwd, { from: 'systemg.yaml', force: true })).err).toContain('it is the file to be written')
    expect((await init(cwd, { from: 'none.yml', force: true })).err).toContain('there is no such file')
    expect((await init(cwd, { from: 'a.txt', force: true })).err).toContain('its name is none of those known here')
    expect(readFileSync(join(cwd, 'systemg.yaml'), 'utf8')).toBe('services: { a: { command: x } }')
  })
})

const pm2 = {
  apps: [
    {
      name: 'api',
      script: './api.js',
      args: '--port 3000',
      node_args: ['--max-old-space-size=200'],
      instances: 4,
      exec_mode: 'cluster',
      env: { NODE_ENV: 'dev', TEMPLATE: '${A}', COUNT: 3 },
      env_production: {},
      exp_backoff_restart_delay: 100,
      kill_timeout: 3000,
    },
    { name: 'never', script: 'npm', args: ['run', 'two words'], autorestart: false, restart_delay: 500 },
    { script: 'worker.py --queue high', instances: 'max', max_restarts: 10, cwd: '/srv/app' },
  ],
}

describe('sysg init --from a pm2 ecosystem file', () => {
  it.each(['json', 'cjs', 'js'])('carries over programs and how they restart, from .%s', async (end) => {
    const text = JSON.stringify(pm2)
    const name = `ecosystem.config.${end}`
    const cwd = tempFolder({ [name]: end === 'json' ? text : `module.exports = ${text}` })
    const { code, err } = await init(cwd, { from: name })
    expect(code).toBe(0)
    const found = await services(cwd)
    expect(found['api']).toMatchObject({
      argv: ['node', '--max-old-space-size=200', './api.js', '--port', '3000'],
      replicas: 4,
      restart_policy: 'always',
      backoff: { initial: 100, max: 15_000, factor: 1.5 },
      stop_timeout: 3000,
      env: { vars: { NODE_ENV: 'dev', TEMPLATE: '${A}', COUNT: '3' } },
    })
    expect(found['service-never']).toMatchObject({
      argv: ['npm', 'run', 'two words'],
      restart_policy: 'never',
      backoff: { initial: 500, max: 500 },
    })
    expect(found['worker']).toMatchObject({
      argv: ['python3', 'worker.py', '--queue', 'high'],
      max_restarts: 10,
      working_dir: '/srv/app',
    })
    expect(err).toContain('api: not carried over: env_production')
    expect(err).toContain('worker: instances: "max" means one for each processor')
    expect(err).toContain('service-never: was called "never"')
  })

  it('refuses a file without apps', async () => {
    const cwd = tempFolder({ 'ecosystem.config.json': '{ "apps": [] }' })
    expect((await init(cwd, { from: 'ecosystem.config.json' })).err).toContain('it has no `apps` with a `script`')
  })
})

describe('an import into TypeScript', () => {
  it('gives the same services as into YAML', { timeout: 30_000 }, async () => {
    const cwd = tempFolder({ 'docker-compose.yml': compose, 'package.json': '{}' })
    await init(cwd, { from: 'docker-compose.yml', format: 'ts' })
    const typescript = await loadInNode(cwd)
    expect(typescript.problems).toEqual([])
    await init(cwd, { from: 'docker-compose.yml' }, 'systemg.yaml')
    const yaml = await loadInNode(cwd, { config: 'systemg.yaml' })
    expect(typescript.system).toEqual(yaml.system)
  })
})

describe('literal text', () => {
  it('comes out of the expansion as it went in', () => {
    const text = fc.string({ unit: fc.constantFrom('$', '{', '}', 'A', ':', '-', ' ') })
    fc.assert(
      fc.property(text, (given) => {
        expect(interpolateText(literal(given), () => 'x')).toEqual({ text: given, problems: [] })
      }),
    )
  })
})

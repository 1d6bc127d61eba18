/**
 * Plugins of other people: each is packed as it would be published, installed into an empty folder outside of the
 * repository, and used there from YAML and from TypeScript.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../ports.ts'
import { EmptyProject, ourPackages, pack, repository, runIn, tarballFolder } from './packages.ts'
import { until } from './sysg.ts'

let tarballs: string
let ours: readonly string[]

beforeAll(async () => {
  tarballs = tarballFolder({ inTest: false })
  ours = (await Promise.all(ourPackages.map((name) => pack(join(repository, name), tarballs)))).map(({ file }) => file)
})

afterAll(() => rmSync(tarballs, { recursive: true, force: true }))

/** An empty project with systemg and a plugin of `examples/`. */
const projectWith = async (name: string): Promise<EmptyProject> => {
  const folder = join(repository, 'examples', name)
  const { file, files } = await pack(folder, tarballs)
  const built = files.filter((path) => path.startsWith('dist/'))
  expect(files.filter((path) => !built.includes(path)).sort()).toEqual(['LICENSE', 'README.md', 'package.json'])
  expect(built).toEqual(expect.arrayContaining(['dist/index.js', 'dist/index.d.ts']))
  return EmptyProject.create([...ours, file])
}

const formats = ['yaml', 'ts'] as const

/** Write one config and no other. `plugin` is what a config in TypeScript imports. */
const configure = (project: EmptyProject, format: (typeof formats)[number], config: Config): void => {
  const { plugin, options, services } = config
  rmSync(join(project.folder, 'systemg.yaml'), { force: true })
  rmSync(join(project.folder, 'sysg.config.ts'), { force: true })
  const entry = options === undefined ? plugin : { use: plugin, ...options }
  if (format === 'yaml') return void project.box.file('systemg.yaml', JSON.stringify({ plugins: [entry], services }))
  const used = options === undefined ? 'plugin' : `{ use: plugin, ...${JSON.stringify(options)} }`
  project.box.file(
    'sysg.config.ts',
    `import { defineConfig } from 'systemg'
    import plugin from 'systemg-plugin-${plugin}'
    export default defineConfig({ plugins: [${used}], services: ${JSON.stringify(services)} })`,
  )
}

interface Config {
  readonly plugin: string
  readonly options?: object
  readonly services: object
}

const compile = async (project: EmptyProject): Promise<void> => {
  const compilerOptions = { module: 'NodeNext', target: 'ES2023', strict: true, noEmit: true, types: [] }
  project.box.file('tsconfig.json', JSON.stringify({ compilerOptions, files: ['sysg.config.ts'] }))
  await project.run(process.execPath, join(repository, 'node_modules/typescript/bin/tsc'), '-p', '.')
}

const pidOf = async (project: EmptyProject, name: string): Promise<number | null> =>
  (await project.box.service(name)).pid

it('each has tests of its own, with the suite for plugins, and they pass', async () => {
  const examples = readdirSync(join(repository, 'examples')).filter((name) => name.startsWith('systemg-plugin-'))
  expect(examples.sort()).toEqual(['systemg-plugin-canary', 'systemg-plugin-redis', 'systemg-plugin-slack'])
  for (const name of examples) {
    await runIn(join(repository, 'examples', name), 'npm', ['run', 'types'])
    const { status, stdout } = spawnSync(process.execPath, ['--test', 'test/*.test.ts'], {
      cwd: join(repository, 'examples', name),
      encoding: 'utf8',
    })
    expect([name, status, status === 0 ? '' : stdout]).toEqual([name, 0, ''])
    expect(stdout).toContain('comes through start, crash, restart')
  }
})

const redisServer = spawnSync('redis-server', ['--version']).error === undefined
if (!redisServer)
  console.warn('skipped: what needs `redis-server`, which is not installed (apt-get install redis-server)')

describe.runIf(redisServer)('redis', () => {
  it('knows one that is down, up, has another password, or is loading its data', async () => {
    await using project = await projectWith('systemg-plugin-redis')
    const port = await freePort()
    const server = `redis-server --port ${port} --dir ${project.folder} --save "" --requirepass right`
    const service = (command: string, password: string, more: object = {}) => ({
      cache: {
        command,
        health_check: { redis: { port, password }, start_interval: '50ms', total_timeout: '1500ms', ...more },
      },
    })
    for (const format of formats) {
      configure(project, format, { plugin: 'redis', services: service('sleep 1000', 'right') })
      const down = await project.npx('start', '-d')
      expect([down.code, down.stderr]).toEqual([1, expect.stringContaining('connection refused')])
      await project.npx('stop')

      configure(project, format, { plugin: 'redis', services: service(server, 'wrong') })
      const wrong = await project.npx('start', '-d')
      expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('wrong password')])
      await project.npx('stop')

      configure(project, format, { plugin: 'redis', services: service(server, 'right', { total_timeout: '20s' }) })
      if (format === 'ts') await compile(project)
      expect(await project.npx('start', '-d')).toMatchObject({ code: 0 })
      expect(await project.box.service('cache')).toMatchObject({ state: 'running', health: 'healthy' })
      await project.npx('stop')
    }

    await populate(port, project.folder)
    const slow = `${server} --dbfilename data.rdb --key-load-delay 2000 --loading-process-events-interval-bytes 1024`
    configure(project, 'yaml', { plugin: 'redis', services: service(slow, 'right', { total_timeout: '60s' }) })
    const starting = project.npx('start', '-d')
    const seen = await until(
      () => project.box.run('status', '--json'),
      ({ stdout }) => stdout.includes('it is loading its data'),
    )
    expect(seen.stdout).toContain('"starting"')
    expect(await starting).toMatchObject({ code: 0 })
    expect(await project.box.service('cache')).toMatchObject({ state: 'running', health: 'healthy' })
  })
})

/** Leaves a file with data in the folder. */
const populate = async (port: number, folder: string): Promise<void> => {
  const options = ['--port', String(port), '--dir', folder, '--dbfilename', 'data.rdb', '--save', '']
  const server = spawn('redis-server', [...options, '--enable-debug-command', 'local'], { stdio: 'ignore' })
  const ended = once(server, 'exit')
  await until(
    () => say(port, 'PING').catch(() => ''),
    (answer) => answer.startsWith('+PONG'),
  )
  await say(port, 'DEBUG POPULATE 1000 key 100')
  expect(await say(port, 'SAVE')).toContain('+OK')
  server.kill('SIGKILL')
  await ended
}

const say = async (port: number, command: string): Promise<string> => {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(`${command}\r\n`)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return answer.toString()
}

it('canary: a new instance that does worse within the window is taken back by itself', async () => {
  await using project = await projectWith('systemg-plugin-canary')
  const canary = { watch: '600ms', interval: '100ms', check: 'test ! -e worse || { echo "errors: 7 %"; exit 1; }' }
  const services = { api: { command: 'sleep 1000', deployment: { strategy: 'canary', canary } } }
  for (const format of formats) {
    configure(project, format, { plugin: 'canary', services })
    if (format === 'ts') await compile(project)
    expect(await project.npx('start', '-d')).toMatchObject({ code: 0 })
    const first = await pidOf(project, 'api')
    expect(await project.npx('restart', '-s', 'api')).toMatchObject({ code: 0 })
    const second = await pidOf(project, 'api')
    expect(second).not.toBe(first)
    project.box.file('worse', '')
    const { code, stderr } = await project.npx('restart', '-s', 'api')
    expect([code, stderr]).toEqual([1, expect.stringContaining('the new instance does worse: errors: 7 %')])
    expect(await pidOf(project, 'api')).toBe(second)
    rmSync(join(project.folder, 'worse'))
    await project.npx('stop')
  }
})

it('slack: tells a channel of what fails, and delays nothing while nobody answers', async () => {
  await using project = await projectWith('systemg-plugin-slack')
  const told: string[] = []
  const channel = createServer((request, response) => {
    request
      .setEncoding('utf8')
      .on('data', (text: string) => void told.push((JSON.parse(text) as { text: string }).text))
    request.on('end', () => response.end('ok'))
  })
  await new Promise<void>((listening) => channel.listen(0, '127.0.0.1', listening))
  const { port } = channel.address() as { port: number }
  const services = { job: { command: 'echo "disk <full>"; exit 3' } }
  for (const format of formats) {
    configure(project, format, { plugin: 'slack', options: { url: `http://127.0.0.1:${port}/hook` }, services })
    if (format === 'ts') await compile(project)
    expect(await project.npx('start', '-d')).toMatchObject({ code: 1 })
    await until(
      () => told.splice(0).join('\n'),
      (text) => /:red_circle: \*.*\/job\* failed: .*exit code 3/.test(text),
    )
    expect(await project.npx('slack-test', 'a < b')).toMatchObject({ code: 0, stdout: 'It has arrived.\n' })
    expect(told.splice(0)).toContain('a &lt; b')
    expect((await project.npx('--help')).stdout).toMatch(/slack-test .*\(plugin slack\)/)
    await project.npx('stop')
  }
  channel.close()
})

it('a plugin that `sysg plugins new` made builds, passes its tests, and works beside one of the config', async () => {
  await using project = await EmptyProject.create(ours)
  expect(await project.npx('plugins', 'new', 'quiet-hours')).toMatchObject({ code: 0 })
  const folder = join(project.folder, 'systemg-plugin-quiet-hours')
  const core = ours.find((file) => file.includes('systemg-core')) ?? ''
  await runIn(folder, 'npm', ['install', '--loglevel=error', '--save-dev', core])
  expect(await runIn(folder, 'npm', ['test'])).toContain('tells the service its message')
  await runIn(folder, 'npm', ['run', 'types'])
  const { file, files } = await pack(folder, tarballs)
  expect([...files].sort()).toEqual(['README.md', 'dist/index.d.ts', 'dist/index.js', 'package.json'])
  await runIn(repository, 'npx', ['--no-install', 'publint', folder, '--strict'])
  await project.run('npm', 'install', '--loglevel=error', file)
  project.box.file(
    'sysg.config.ts',
    `import { defineConfig, definePlugin } from 'systemg'
    import quietHours from 'systemg-plugin-quiet-hours'
    const loud = definePlugin({
      name: 'loud',
      setup: ({ hooks }) => hooks.prepare.tap('loud', (spec) => ({ ...spec, env: { ...spec.env, LOUD: 'yes' } })),
    })
    export default defineConfig({
      plugins: [quietHours, loud],
      services: { api: { command: 'echo "$QUIET_HOURS_MESSAGE, loud: $LOUD"; exec sleep 1000', quiet_hours: { message: 'shh' } } },
    })`,
  )
  await compile(project)
  expect(await project.npx('start', '-d')).toMatchObject({ code: 0 })
  await until(
    () => project.npx('logs', 'api'),
    ({ stdout }) => stdout.includes('shh, loud: yes'),
  )
  expect(await project.npx('status')).toMatchObject({ code: 0 })
  expect(await project.npx('stop')).toMatchObject({ code: 0 })
})

describe('a plugin of systemg that was copied out of it and renamed', () => {
  const names = ['cron', 'deploy', 'dotenv', 'health', 'restart', 'sockets']

  it('passes the suite for plugins, and does its work in the place of the one it was', async () => {
    await using project = await EmptyProject.create(ours)
    for (const name of names) copyPlugin(project, name)
    project.box.file('contract.mjs', contract(names))
    await project.run(process.execPath, '--test', 'contract.mjs')

    const services = { clock: { command: 'echo "it is time"', cron: '* * * * * *' } }
    const plugins = ['my-cron', { use: 'cron', enabled: false }]
    project.box.file('systemg.yaml', JSON.stringify({ plugins, services }))
    expect(await project.npx('start', '-d')).toMatchObject({ code: 0 })
    await until(
      () => project.npx('logs', 'clock'),
      ({ stdout }) => stdout.includes('it is time'),
    )
    expect(await project.npx('stop')).toMatchObject({ code: 0 })
  })
})

/** Its built files and all that they import, under another name: `systemg-plugin-my-cron`. */
const copyPlugin = (project: EmptyProject, name: string): void => {
  const from = join(project.folder, 'node_modules/@systemg/plugins')
  const to = join(project.folder, `node_modules/systemg-plugin-my-${name}`)
  mkdirSync(to)
  cpSync(join(from, `dist/${name}.mjs`), join(to, 'index.mjs'))
  for (const shared of ['chunks', 'shared'].filter((folder) => existsSync(join(from, 'dist', folder))))
    cpSync(join(from, 'dist', shared), join(to, shared), { recursive: true })
  const renamed = readdirSync(to, { recursive: true, encoding: 'utf8' }).filter((file) => {
    if (!file.endsWith('.mjs')) return false
    const text = readFileSync(join(to, file), 'utf8')
    const other = text.replaceAll(new RegExp(`^( +name: ["'])${name}(["'],)$`, 'gm'), `$1my-${name}$2`)
    writeFileSync(join(to, file), other)
    return other !== text
  })
  expect(renamed).toHaveLength(1)
  const manifest = { name: `systemg-plugin-my-${name}`, version: '1.0.0', type: 'module', exports: './index.mjs' }
  writeFileSync(join(to, 'package.json'), JSON.stringify(manifest))
}

const contract = (names: readonly string[]): string => `
import { describe, it } from 'node:test'
import { pluginContract } from '@systemg/core/testing'
const service = {
  cron: { cron: '*/5 * * * * *' },
  deploy: { deployment: { strategy: 'rolling', grace_period: '1s' } },
  health: { health_check: { command: 'true' } },
  restart: { restart_policy: 'always', backoff: '1s' },
  sockets: { sockets: ['tcp://127.0.0.1:8080'] },
}
const program = { cron: (self) => self.after(100, () => self.exit()) }
for (const name of ${JSON.stringify(names)}) {
  const exported = Object.values(await import('systemg-plugin-my-' + name))
  const plugin = exported.find((value) => value?.name === 'my-' + name)
  pluginContract(plugin, { describe, it }, { service: service[name], program: program[name] })
}
`

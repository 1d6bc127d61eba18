/** `sysg inspect` of real programs, and that no secret is seen anywhere. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { inspectSchema } from '../../docs/generate/inspect-schema.ts'
import { Sandbox, until } from './sysg.ts'

interface Inspected {
  readonly id: string
  readonly state: string
  readonly pid: number
  readonly instance: string | null
  readonly instances: readonly { readonly id: string }[]
  readonly tree: readonly { readonly processes: readonly { readonly pid: number; readonly children: unknown[] }[] }[]
  readonly env: readonly {
    readonly name: string
    readonly value: string
    readonly origin: string
    readonly file?: string
  }[]
  readonly metrics: { readonly processes: number; readonly points: readonly unknown[] }
}

const inspected = async (box: Sandbox, ...words: readonly string[]): Promise<Inspected> => {
  const { stdout } = await box.run('inspect', ...words, '--json')
  const found: unknown = JSON.parse(stdout)
  inspectSchema.parse(found)
  return found as Inspected
}

it('shows everything, by name, id, replica and instance, and tells by its exit code how it is', async () => {
  await using box = new Sandbox()
  box.environment = { INHERITED: 'from outside' }
  box.file('api.env', 'FROM_FILE=yes\n')
  box.config(`
services:
  api:
    command: 'sleep 1001 & sleep 1000'
    replicas: 2
    env: { file: api.env, vars: { PORT: 80 } }
    health_check: { command: 'true', interval: 200ms }
  bad: { command: 'echo oh no; exit 3' }
  job: { command: 'true', cron: '0 0 1 1 *' }
`)
  await box.run('start', '-d')
  const api = await until(
    () => inspected(box, 'api'),
    ({ metrics, tree }) => metrics.processes === 6 && tree.length === 2,
  )
  expect(api.tree[0]?.processes[0]).toMatchObject({ pid: api.pid, children: [{}, {}] })
  expect(api.env).toEqual(
    expect.arrayContaining([
      { name: 'FROM_FILE', value: 'yes', origin: 'service file', file: 'api.env' },
      { name: 'PORT', value: '80', origin: 'service vars' },
      { name: 'INHERITED', value: 'from outside', origin: 'supervisor' },
    ]),
  )
  expect(await inspected(box, api.id)).toMatchObject({ name: 'api', instance: null })
  expect(await inspected(box, 'api/1')).toMatchObject({ name: 'api', instance: 'api-2' })
  expect(await inspected(box, '-s', 'api-1')).toMatchObject({ name: 'api', instance: 'api-1' })

  const well = await box.run('inspect', 'api')
  expect([well.code, well.stderr]).toEqual([0, ''])
  expect(well.stdout).toMatch(/^api {2}running {2}healthy$/m)
  for (const title of [
    'COMMAND',
    'INSTANCES',
    'PROCESSES',
    'CPU',
    'MEMORY',
    'HEALTH',
    'EVENTS',
    'ENVIRONMENT',
    'CONFIG',
  ])
    expect(well.stdout.split('\n')).toContain(title)
  const job = await box.sysg('inspect', 'job')
  expect(job).toMatch(/^RUNS\n {2}next run at /m)

  const bad = await box.run('inspect', 'bad')
  expect(bad.code).toBe(1)
  expect(bad.stdout).toMatch(/^bad {2}failed$[\s\S]*exit code 3[\s\S]*> oh no/m)
  const unknown = await box.run('inspect', 'apj')
  expect([unknown.code, unknown.stdout]).toEqual([4, ''])
  expect(unknown.stderr).toContain('Did you mean `api`?')
  expect((await box.run('inspect')).code).toBe(2)
  expect((await box.run('inspect', 'api', 'bad')).code).toBe(2)

  const { supervisor } = await box.status()
  process.kill(supervisor.pid, 'SIGSTOP')
  process.kill(supervisor.pid, 'SIGKILL')
  const left = await until(
    () => box.run('inspect', 'api'),
    ({ code }) => code === 3,
  )
  expect(left.stdout).toMatch(/^api {2}running \(unsupervised\)$/m)
  expect(left.stdout).toContain('PORT=80')
  expect(left.stderr).toContain('No supervisor runs')
  expect((await box.run('inspect', 'apj')).code).toBe(4)
})

it('no secret is in inspect, events, errors, or the log of the supervisor', async () => {
  const planted = {
    outside: 'planted-outside-1',
    file: 'planted-file-22',
    vars: 'planted-vars-333',
    url: 'planted-url-4444',
    command: 'planted-command-5',
    header: 'planted-header-66',
  }
  await using box = new Sandbox()
  box.environment = { OUTSIDE_TOKEN: planted.outside }
  box.file('api.env', `FILE_SECRET=${planted.file}\n`)
  const yaml = (more = '') => `
services:
  api:
    command: 'echo "$OUTSIDE_TOKEN" "$FILE_SECRET" "$API_KEY" "$DATABASE_URL"; true ${planted.command} \${OUTSIDE_TOKEN} --password=${planted.command}; exit 3'
    restart_policy: always
    max_restarts: 2
    backoff: 50ms
    env:
      file: api.env
      vars: { API_KEY: ${planted.vars}, DATABASE_URL: 'postgres://u:${planted.url}@db/x', MY_PASSWORD: ${planted.command} }
  hidden:
    command: sleep 1000
    health_check: { url: 'http://u:${planted.url}@127.0.0.1:1/', headers: { Authorization: ${planted.header} }, total_timeout: 1s }
  lost: { exec: [/no/such/${planted.vars}, --token, ${planted.vars}], env: { vars: { API_KEY: ${planted.vars} } } }
${more}`
  box.config(yaml())
  const told: string[] = []
  const run = async (...words: readonly string[]) => {
    const { code, stdout, stderr } = await box.run(...words)
    told.push(`${words.join(' ')} (${code}): ${stdout}${stderr}`)
    return `${stdout}${stderr}`
  }
  await run('start', '-d', '--log-level', 'debug')
  await until(
    () => box.states(),
    ({ api, hidden }) => api === 'failed' && hidden !== 'starting',
  )
  for (const name of ['api', 'hidden', 'lost']) {
    await run('inspect', name)
    await run('inspect', name, '--json')
    await run('restart', '-s', name)
  }
  expect(await run('inspect', 'api')).toContain('API_KEY=********')
  await run('events', '--json')
  await run('events')
  await run('status')
  await run('status', '--json')
  await run('logs', '--kind', 'supervisor', '--lines', 'all')
  box.config(yaml('  broken: { command: x, replicas: many }\n'))
  await run('restart')
  box.config(
    yaml(
      `  broken: { command: x, env: { vars: { API_KEY: ${planted.vars}, DB_PASSWORD: [ ${planted.url} ] } }, replicas: many }\n`,
    ),
  )
  await run('validate')
  const { supervisor } = await box.status()
  process.kill(supervisor.pid, 'SIGKILL')
  await run('inspect', 'hidden')
  await run('inspect', 'hidden', '--json')
  await run('events', '--json')
  for (const path of filesBelow(box.home)) if (path.includes('supervisor')) told.push(readFileSync(path, 'utf8'))
  for (const [where, secret] of Object.entries(planted))
    for (const text of told) expect(text.includes(secret) ? `${where}: ${text}` : '').toBe('')
})

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false)

import { masked } from '@systemg/core'
import { simulate } from '@systemg/core/testing'
import { dotenv } from '@systemg/plugins/dotenv'
import { describe, expect, it } from 'vitest'
import { mergeLayers, type Inheritance, type Layer } from '../../plugins/src/dotenv/layers.ts'
import { serviceEnv } from '../../plugins/src/dotenv/options.ts'
import { parseEnv } from '../../plugins/src/dotenv/parse-env.ts'

const everything: Inheritance = { inherit: true, strip: [] }

describe('a .env file', () => {
  it.each([
    ['A=1', { A: '1' }],
    ['A=1\nB=2', { A: '1', B: '2' }],
    ['A=1\r\nB=2\r\n', { A: '1', B: '2' }],
    ['\uFEFFA=1', { A: '1' }],
    ['  export A = 1  ', { A: '1' }],
    ['# A=1\n\n   # more\nB=2', { B: '2' }],
    ['A=', { A: '' }],
    ['A= # nothing', { A: '' }],
    ['A=1 # one', { A: '1' }],
    ['COLOR=#fff', { COLOR: '#fff' }],
    ['URL=http://x/#top', { URL: 'http://x/#top' }],
    ['A=a=b==', { A: 'a=b==' }],
    ["A='a # $B \\n'", { A: 'a # $B \\n' }],
    ['A="a # b" # c', { A: 'a # b' }],
    ['A="a\\nb\\t\\"c\\" \\\\n \\$D"', { A: 'a\nb\t"c" \\n $D' }],
    ['A="one\ntwo"\nB=2', { A: 'one\ntwo', B: '2' }],
    ["A='one\ntwo'", { A: 'one\ntwo' }],
    ['A=`it\'s "so"`', { A: 'it\'s "so"' }],
    ["A=it's", { A: "it's" }],
    ['A=${B} $C', { A: '${B} $C' }],
    ['A=1\nA=2', { A: '2' }],
    ['a.b-c=1', { 'a.b-c': '1' }],
    ['', {}],
  ])('%j gives %j', (text, vars) => {
    expect(parseEnv(text)).toEqual({ vars: new Map(Object.entries(vars)), mistakes: [] })
  })

  it('names every line that is a mistake, and never shows what is in it', () => {
    const { vars, mistakes } = parseEnv('A=1\nhunter2\nB="open\nC="x" y\nD=4')
    expect(mistakes.map(({ line }) => line)).toEqual([2, 4])
    expect(JSON.stringify(mistakes)).not.toContain('hunter2')
    expect(vars.get('D')).toBe('4')
  })

  it('reports a quote that is never closed at the line where it opens', () => {
    expect(parseEnv('A=1\nB="open\nC=3')).toMatchObject({
      mistakes: [{ line: 2, message: 'the value of `B` has no closing "' }],
    })
  })

  it('takes a key of a megabyte in time', () => {
    const value = 'x'.repeat(1_000_000)
    expect(parseEnv(`A="${value}"\n${'B="1"\n'.repeat(10_000)}`).vars.get('A')).toBe(value)
  })
})

describe('layers', () => {
  const layer = (origin: Layer['origin'], vars: Record<string, string | null>): Layer => ({
    origin,
    vars: new Map(Object.entries(vars)),
  })
  const values = (layers: readonly Layer[], how = everything) =>
    Object.fromEntries([...mergeLayers(layers, how)].map(([name, { value }]) => [name, value]))

  it('let the later win and say where a value is from', () => {
    const merged = mergeLayers(
      [layer('supervisor', { A: '1', B: '1' }), layer('global vars', { A: '2' }), layer('service file', { A: '3' })],
      everything,
    )
    expect(Object.fromEntries(merged)).toEqual({
      A: { value: '3', origin: 'service file' },
      B: { value: '1', origin: 'supervisor' },
    })
  })

  it('take away what is null', () => {
    expect(values([layer('global vars', { A: '1', B: '1' }), layer('service vars', { A: null })])).toEqual({ B: '1' })
  })

  it('keep what a login gives without inheritance, and nothing else of the supervisor', () => {
    const supervisor = { PATH: '/bin', LC_ALL: 'C', TERM: 'xterm', AWS_KEY: 'x' }
    const layers = [layer('supervisor', supervisor), layer('global vars', { A: '1' })]
    expect(values(layers, { inherit: false, strip: [] })).toEqual({ PATH: '/bin', LC_ALL: 'C', A: '1' })
  })

  it('strip by name and by pattern what is from outside the service', () => {
    const outside = { AWS_KEY: 'x', AWS: 'y', 'A.B': 'z', AxB: 'w' }
    const layers = [layer('supervisor', outside), layer('service vars', { AWS_KEY: 'own' })]
    expect(values(layers, { inherit: true, strip: ['AWS*', 'A.B'] })).toEqual({ AWS_KEY: 'own', AxB: 'w' })
  })

  it('let nobody override what only the core knows', () => {
    const layers = [layer('service vars', { SYSG_REPLICA: '7' }), layer('core', { SYSG_REPLICA: '0' })]
    expect(values(layers, { inherit: true, strip: ['*'] })).toEqual({ SYSG_REPLICA: '0' })
  })
})

describe('the key `env`', () => {
  it('makes text of numbers and booleans', () => {
    expect(serviceEnv.parse({ vars: { PORT: 8080, DEBUG: false, NAME: 'x', GONE: null } }).vars).toEqual({
      PORT: '8080',
      DEBUG: 'false',
      NAME: 'x',
      GONE: null,
    })
  })

  it.each([{ 'A=B': '1' }, { '': '1' }, { A: 'x\0y' }, { A: 12345678901234567890 }, { A: ['x'] }])(
    'refuses the variables %j',
    (vars) => {
      expect(serviceEnv.safeParse({ vars }).success).toBe(false)
    },
  )

  it.each([
    ['DB_PASSWORD', 'x', '********'],
    ['GITHUB_TOKEN', 'x', '********'],
    ['API_KEY', 'x', '********'],
    ['KEY', 'x', '********'],
    ['KEYBOARD', 'x', 'x'],
    ['PASSENGER_PORT', '80', '80'],
    ['DATABASE_URL', 'postgres://me:hunter2@db/shop', 'postgres://me:********@db/shop'],
    ['EMPTY_SECRET', '', ''],
  ])('shows %s=%s as %s', (name, value, shown) => {
    expect(masked(name, value)).toBe(shown)
  })
})

describe('dotenv', () => {
  const envOf = (sim: Awaited<ReturnType<typeof simulate>>, service: string) =>
    sim.world.processes.list(service)[0]?.env ?? {}

  it('puts all origins together, the strongest last', async () => {
    await using sim = await simulate(
      [dotenv],
      {
        api: { command: 'x', env: { vars: { A: 'service vars' }, file: ['api.env', './more.env'] } },
        db: { command: 'y' },
      },
      {
        idle: true,
        system: { env: { vars: { A: 'global vars', B: 'global vars', C: 'global vars' }, file: '.env' } },
        files: {
          '/srv/.env': 'A=global file\nD=global file',
          '/srv/api.env': 'A=service file\nB=service file\nE=1',
          '/srv/more.env': 'E=2',
        },
      },
    )
    sim.world.files.write('/srv/.env', 'A=global file\nD=global file')
    sim.world.files.write('/srv/api.env', 'A=service file\nB=service file\nE=1')
    sim.world.files.write('/srv/more.env', 'E=2')
    await sim.start()
    expect(envOf(sim, 'api')).toMatchObject({
      A: 'service vars',
      B: 'service file',
      C: 'global vars',
      D: 'global file',
      E: '2',
      PATH: '/usr/bin:/bin',
    })
    expect(envOf(sim, 'db')).toMatchObject({ A: 'global vars', B: 'global vars' })
    expect(envOf(sim, 'db')).not.toHaveProperty('E')
  })

  it('reads the files at each start', async () => {
    const options = { idle: true, files: { '/srv/.env': 'A=1' } }
    await using sim = await simulate([dotenv], { api: { command: 'x', env: { file: '.env' } } }, options)
    sim.world.files.write('/srv/.env', 'A=1')
    await sim.start()
    sim.world.files.write('/srv/.env', 'A=2')
    expect(envOf(sim, 'api')).toMatchObject({ A: '1' })
    await sim.finish(sim.system.restart({ names: ['api'] }))
    expect(envOf(sim, 'api')).toMatchObject({ A: '2' })
  })

  it('fails one start, naming the file, when it has gone meanwhile', async () => {
    const options = { idle: true, files: { '/srv/.env': 'A=1' } }
    const services = { api: { command: 'x', env: { file: '.env' } }, db: { command: 'y' } }
    await using sim = await simulate([dotenv], services, options)
    await sim.start()
    expect(sim.states).toMatchObject({ api: 'failed', db: 'running' })
    expect(sim.service('api').reason).toContain('/srv/.env does not exist')
  })

  it('lets the config use the variables it defines', async () => {
    await using sim = await simulate(
      [dotenv],
      { api: { exec: ['serve', '${PORT}', '${NAME}'], env: { vars: { PORT: 80 } } } },
      { idle: true, system: { env: { file: '.env' } }, files: { '/srv/.env': 'NAME=shop\nPORT=1' } },
    )
    expect(sim.system.config.services['api']?.argv).toEqual(['serve', '80', 'shop'])
  })

  it.each([
    ['a value', 'A=2', ['the env file .env changed']],
    ['a new variable', 'A=1\nB=1', ['the env file .env changed']],
    ['a comment and the order', '# why\nPORT=80\nA=1', []],
    ['what `vars` say anyway', 'A=1\nPORT=81\nCOLOR=red', []],
  ])('counts as a change, or not: %s', async (_, text, because) => {
    const files: Record<string, string> = { '/srv/.env': 'A=1\nPORT=80' }
    const services = {
      api: { command: 'x', env: { vars: { PORT: 8080 } } },
      db: { command: 'y', env: { file: 'db.env' } },
    }
    const system = { env: { file: '.env', vars: { COLOR: 'blue' } } }
    files['/srv/db.env'] = 'A=db'
    await using sim = await simulate([dotenv], services, { idle: true, system, files })
    for (const [path, content] of Object.entries(files)) sim.world.files.write(path, content)
    await sim.start()
    expect(sim.system.plan(await sim.configOf(services)).map(({ action }) => action)).toEqual(['keep', 'keep'])
    files['/srv/.env'] = text
    const [change] = sim.system.plan(await sim.configOf(services))
    expect(change).toEqual({ service: 'api', action: because.length > 0 ? 'restart' : 'keep', because })
  })

  it('replaces only the services whose file was edited, once, and each then has the new value', async () => {
    const files: Record<string, string> = { '/srv/api.env': 'A=1', '/srv/db.env': 'B=1' }
    const services = {
      api: { command: 'x', env: { file: 'api.env' } },
      db: { command: 'y', env: { file: 'db.env' } },
    }
    await using sim = await simulate([dotenv], services, { idle: true, files })
    const write = (path: string, content: string) => {
      files[path] = content
      sim.world.files.write(path, content)
    }
    for (const [path, content] of Object.entries(files)) sim.world.files.write(path, content)
    await sim.start()
    write('/srv/api.env', 'A=2')
    for (let time = 0; time < 2; time += 1) await sim.finish(sim.system.apply(await sim.configOf(services)))
    expect(envOf(sim, 'api')).toMatchObject({ A: '2' })
    expect([sim.service('api').starts, sim.service('db').starts]).toEqual([2, 1])
  })

  it('knows what an instance was made of that read the file later than the config was loaded', async () => {
    const files: Record<string, string> = { '/srv/.env': 'A=1' }
    const services = { api: { command: 'x', env: { file: '.env' } } }
    await using sim = await simulate([dotenv], services, { idle: true, files })
    sim.world.files.write('/srv/.env', 'A=1')
    await sim.start()
    files['/srv/.env'] = 'A=2'
    sim.world.files.write('/srv/.env', 'A=2')
    await sim.finish(sim.system.restart({ names: ['api'] }))
    expect(sim.system.plan(await sim.configOf(services))).toEqual([{ service: 'api', action: 'keep', because: [] }])
  })

  it('keeps no value of a file in the resolved config', async () => {
    const options = { idle: true, files: { '/srv/.env': 'A=hunter2' } }
    await using sim = await simulate([dotenv], { api: { command: 'x', env: { file: '.env' } } }, options)
    const fingerprint = expect.stringMatching(/^[0-9a-f]{16}$/) as string
    const inputs = { 'the env file .env': fingerprint, 'the default of `env`': fingerprint }
    expect(sim.system.config.services['api']?.inputs).toEqual(inputs)
    expect(JSON.stringify(sim.system.config)).not.toContain('hunter2')
  })

  it.each([
    { files: {}, code: 'SYSG_ENV_FILE_MISSING' },
    { files: { '/srv/.env': 'not an assignment' }, code: 'SYSG_ENV_FILE_INVALID' },
  ])('refuses a config with $code', async ({ files, code }) => {
    const broken = simulate([dotenv], { api: { command: 'x', env: { file: '.env' } } }, { files })
    await expect(broken).rejects.toMatchObject({ code })
  })

  it('tells the environment of a service with its origins, secrets masked', async () => {
    const services = { api: { command: 'x', env: { vars: { PORT: 80, DB_PASSWORD: 'hunter2' }, inherit: false } } }
    await using sim = await simulate([dotenv], services)
    const told = await sim.system.registries.methods.call('env.describe', { service: 'api' })
    expect(told).toEqual(
      expect.arrayContaining([
        { name: 'DB_PASSWORD', value: '********', origin: 'service vars' },
        { name: 'PATH', value: '/usr/bin:/bin', origin: 'supervisor' },
        { name: 'PORT', value: '80', origin: 'service vars' },
      ]),
    )
  })
})

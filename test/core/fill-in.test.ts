import { definePlugin, fillIn, type ServiceConfig } from '@systemg/core'
import { fillInSpec } from '../../core/src/fill-in.ts'
import { simulate, type Simulation } from '@systemg/core/testing'
import { describe, expect, it } from 'vitest'
import { dotenv } from '@systemg/plugins'

const launched = (sim: Simulation) => sim.world.processes.list('api').map(({ argv }) => argv)

describe('`${SYSG_…}`', () => {
  it.each([
    ['80${SYSG_REPLICA}', '802'],
    ['${SYSG_SERVICE}-${SYSG_REPLICA}.${SYSG_SERVICE}', 'api-2.api'],
    ['${SYSG_REPLICA:-7} ${SYSG_REPLICA:?none}', '2 2'],
    ['${SYSG_SLOT} $SYSG_REPLICA ${HOME}', '${SYSG_SLOT} $SYSG_REPLICA ${HOME}'],
  ])('in %j becomes %j', (text, filled) => {
    expect(fillIn(text, { SYSG_REPLICA: '2', SYSG_SERVICE: 'api' })).toBe(filled)
  })

  it.each<[what: string, service: ServiceConfig, argv: readonly string[]]>([
    ['a list', { exec: ['./api', '--port', '80${SYSG_REPLICA}'] }, ['./api', '--port', '801']],
    ['a command', { command: './api --port 80${SYSG_REPLICA}' }, ['/bin/sh', '-c', 'exec ./api --port 801']],
    ['quotes', { command: "./api '${SYSG_SERVICE} ${SYSG_REPLICA}'" }, ['./api', 'api 1']],
  ])('is filled in for each instance in %s', async (_what, service, argv) => {
    await using sim = await simulate([], { api: { ...service, replicas: 2 } })
    expect(launched(sim)[1]).toEqual(argv)
  })

  it('is filled in in the environment and the folder', async () => {
    const services = {
      api: {
        command: 'x',
        replicas: 2,
        working_dir: 'run/${SYSG_REPLICA}',
        env: { vars: { PORT: '80${SYSG_REPLICA}' } },
      },
    }
    const specs: string[] = []
    const spy = definePlugin({
      name: 'spy',
      setup: ({ hooks }) => hooks.started.tap('spy', ({ launch }) => void specs.push(launch?.cwd ?? '')),
    })
    await using sim = await simulate([spy, dotenv], services)
    expect(specs).toEqual(['/srv/run/0', '/srv/run/1'])
    const [, second] = sim.world.processes.list('api')
    expect(second?.env).toMatchObject({ PORT: '801', SYSG_REPLICA: '1' })
  })

  it('puts no text into a script that a shell would run', async () => {
    const env = { vars: { SYSG_EXTRA: 'a; rm -rf b' } }
    await using sim = await simulate([dotenv], { api: { command: 'echo ${SYSG_EXTRA}; ./x ${SYSG_REPLICA}', env } })
    expect(launched(sim)[0]).toEqual(['/bin/sh', '-c', 'echo ${SYSG_EXTRA}; ./x 0'])
  })

  it('stays as it is in what the supervisor inherited', () => {
    const env = { SYSG_REPLICA: '1', PROMPT: '${SYSG_REPLICA}', PORT: '80${SYSG_REPLICA}' }
    const spec = { argv: ['x'], env, cwd: '/', stdout: 'null', stderr: 'null', inherit: [] } as const
    expect(fillInSpec(spec, { PROMPT: '${SYSG_REPLICA}' }).env).toEqual({ ...env, PORT: '801' })
  })
})

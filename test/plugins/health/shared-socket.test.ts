import { orderPlugins, parseYaml, resolveConfig } from '@systemg/core'
import { deploy } from '@systemg/plugins/deploy'
import { health } from '@systemg/plugins/health'
import { sockets } from '@systemg/plugins/sockets'
import { expect, it } from 'vitest'

const resolve = async (service: string, strategy: string) => {
  const text = `services:\n  web:\n    command: x\n${service}\n    deployment: { strategy: ${strategy} }\n`
  const readText = () => Promise.resolve(undefined)
  const parsed = await parseYaml({ text, file: '/srv/systemg.yaml', readText })
  const source = { ...parsed, file: '/srv/systemg.yaml', folder: '/srv', env: {} }
  const plugins = orderPlugins([health, deploy, sockets].map((plugin) => ({ plugin })))
  const projectDefault = { id: 'test', name: 'test' }
  return resolveConfig({ ...source, readText, plugins, projectDefault })
}

const problemsOf = async (socket: string, check: string, strategy = 'rolling') => {
  const service = `    sockets: ['${socket}']\n    health_check:\n      ${check}`
  const { problems } = await resolve(service, strategy)
  return problems.map(({ line, column, severity, code }) => `${line ?? 0}:${column ?? 0} ${severity} ${code}`)
}

const warned = ['6:12 warning SYSG_HEALTH_SHARED_SOCKET']

it.each([
  ['tcp://127.0.0.1:80', 'url: http://127.0.0.1/health'],
  ['tcp://127.0.0.1:443', 'url: https://localhost/health'],
  ['tcp://0.0.0.0:8080', 'url: http://10.0.0.7:8080/'],
  ['tcp://[::]:8080', 'url: http://localhost:8080/'],
  ['tcp://[::1]:8080', 'url: http://[::1]:8080/{service}'],
  ['unix:///run/web.sock', 'url: http+unix://%2Frun%2Fweb.sock/health'],
  ['tcp://127.0.0.1:8080', 'tcp: 8080'],
  ['tcp://[::1]:8080', "tcp: '[::1]:8080'"],
  ['unix:///run/web.sock', 'tcp: unix:///run/web.sock'],
])('a socket on %s and `%s` of a `rolling` service: a warning, at the address', async (socket, check) => {
  expect(await problemsOf(socket, check)).toEqual(warned)
})

it.each([
  ['tcp://127.0.0.1:80', 'url: http://127.0.0.1:8080/'],
  ['tcp://127.0.0.1:80', 'url: http://127.0.0.2/'],
  ['tcp://127.0.0.1:80', 'url: http://example.org/'],
  ['tcp://0.0.0.0:80', 'url: http://example.org/'],
  ['unix:///run/web.sock', 'tcp: unix:///run/admin.sock'],
  ['tcp://127.0.0.1:80', 'notify: true'],
  ['tcp://127.0.0.1:80', 'command: curl http://127.0.0.1/'],
])('a socket on %s and `%s`: no warning', async (socket, check) => {
  expect(await problemsOf(socket, check)).toEqual([])
})

it('nor with `immediate`, where nothing runs beside it', async () => {
  expect(await problemsOf('tcp://127.0.0.1:80', 'url: http://127.0.0.1/', 'immediate')).toEqual([])
})

it('says what users would see, and what to do', async () => {
  const service = (check: string) => `    sockets: ['tcp://127.0.0.1:80']\n    health_check: { ${check} }`
  const { system, problems } = await resolve(service('url: http://127.0.0.1/'), 'rolling')
  expect(system).toBeDefined()
  expect(problems[0]?.message).toBe(
    '`web` is asked on the socket that its instances share (tcp://127.0.0.1:80): while it is not ready yet, a new one that answers 500 does so to users, too.',
  )
  expect(problems[0]?.hint).toContain('`health_check: { notify: true }`')
  const byTcp = await resolve(service('tcp: 80'), 'rolling')
  expect(byTcp.problems[0]?.message).toContain('a new one that accepts serves users already')
})

it('is about what a candidate is asked, wherever that is written', async () => {
  const url = (port: number) => `{ url: "http://127.0.0.1:${port}/" }`
  const candidate = (port: number) => `blue_green: { slots: [a, b], candidate_health_check: ${url(port)} }`
  const placesOf = async (check: string, deployment: string) => {
    const service = `    sockets: ['tcp://127.0.0.1:80']\n${check}    replicas: 1`
    const { problems } = await resolve(service, `rolling, ${deployment}`)
    return problems.map(({ path }) => path.join('.'))
  }
  const own = `    health_check: ${url(80)}\n`
  expect(await placesOf(own, candidate(81))).toEqual([])
  expect(await placesOf('', candidate(80))).toEqual(['services.web.deployment.blue_green.candidate_health_check.url'])
  expect(await placesOf('', `health_check: ${url(80)}`)).toEqual(['services.web.deployment.health_check.url'])
})

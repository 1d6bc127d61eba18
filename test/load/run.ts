/**
 * `npm run load`: deploys under full load, and how many requests failed (none should). Needs wrk and nginx
 * (Debian packages `wrk`, `nginx-light`); what is not there is left out, and said so.
 *
 * Latencies are those of this machine at this moment, with the load, the service and systemg on the same processors;
 * only their ratio within one run says anything.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../ports.ts'
import { Sandbox } from '../e2e/sysg.ts'
import { deployUnderLoad, type Findings } from './deploy-under-load.ts'
import { hasWrk } from './wrk.ts'

const examples = join(import.meta.dirname, '../../examples')

interface Scenario {
  readonly title: string
  readonly example: string
  readonly service: string
  readonly steps: readonly (readonly string[])[]
}

const restarts = (service: string, times: number) => Array.from({ length: times }, () => ['restart', '-s', service])
const scales = ['6', '2', '4'].map((count) => ['scale', `web=${count}`])

const scenarios: readonly Scenario[] = [
  { title: 'sockets, 20 deploys', example: 'zero-downtime', service: 'web', steps: restarts('web', 20) },
  {
    title: 'sockets, 4 replicas, scaled up and down',
    example: 'zero-downtime',
    service: 'web',
    steps: [['scale', 'web=4'], ...restarts('web', 2), ...scales, ...restarts('web', 2), ...scales],
  },
  { title: 'behind nginx, 10 deploys', example: 'behind-nginx', service: 'api', steps: restarts('api', 10) },
]

const clients = [
  { client: 'kept connections', keepAlive: true },
  { client: 'one per request', keepAlive: false },
] as const

const measure = async ({ example, service, steps }: Scenario, keepAlive: boolean): Promise<Findings> => {
  await using box = new Sandbox({ inTest: false })
  chmodSync(box.folder, 0o755)
  cpSync(join(examples, example), box.folder, { recursive: true })
  const [http, blue, green] = await freePorts()
  const variables = { PORT: String(http), HTTP_PORT: String(http), BLUE_PORT: String(blue), GREEN_PORT: String(green) }
  const sysg = (...args: readonly string[]) => box.run(...args)
  box.environment = variables
  const { code, stderr } = await sysg('start', '-d')
  if (code !== 0) throw new Error(stderr)
  return await deployUnderLoad({ url: `http://127.0.0.1:${http}/`, service, steps, sysg, connections: 16, keepAlive })
}

const lineOf = (client: string, { before, during, failed, answeredByBoth }: Findings): string =>
  [
    client.padEnd(18),
    String(during.requests).padStart(9),
    String(failed).padStart(7),
    String(answeredByBoth).padStart(14),
    `${before.p99Ms.toFixed(1)} ms`.padStart(11),
    `${during.p99Ms.toFixed(1)} ms`.padStart(11),
  ].join('')

if (!hasWrk()) {
  console.error('wrk is not installed (apt-get install wrk): nothing was measured')
  process.exit(1)
}
let failures = 0
for (const scenario of scenarios) {
  if (scenario.example === 'behind-nginx' && spawnSync('nginx', ['-v']).error !== undefined) {
    console.log(`\n${scenario.title}: left out, nginx is not installed (apt-get install nginx-light)`)
    continue
  }
  console.log(`\n${scenario.title}`)
  console.log('client             requests failed both answering p99 before p99 during')
  for (const { client, keepAlive } of clients) {
    const findings = await measure(scenario, keepAlive)
    failures += findings.failed
    console.log(lineOf(client, findings))
  }
}
process.exitCode = failures === 0 ? 0 : 1

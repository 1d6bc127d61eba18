/**
 * Asks a Redis whether it is ready: not whether its port is open, but whether it would answer a query.
 *
 * Brings the probe `redis` (`health_check: { redis: { port: 6379 } }`).
 */
import { definePlugin, duration, z } from '@systemg/core'
import { readReply } from './reply.ts'

const redis = z
  .strictObject({
    host: z.string().default('127.0.0.1').describe('Where the Redis is.'),
    port: z.int().min(1).max(65_535).default(6379).describe('Its port.'),
    path: z.string().optional().describe('Its unix socket, instead of host and port.'),
    username: z.string().optional().describe('Whom to log in as. Default: the default user.'),
    password: z.string().optional().describe('The password, best from the environment: `${REDIS_PASSWORD}`.'),
    max_lag: duration.optional().describe('A replica that heard from its master longer ago is not ready.'),
  })
  .describe('A Redis that has loaded its data and answers.')

declare module '@systemg/core' {
  interface ProbeConfigs {
    /** A Redis that has loaded its data and answers. From `systemg-plugin-redis`. */
    redis?: z.input<typeof redis>
  }
}

export default definePlugin({
  name: 'redis',
  probes: { redis },
  setup({ host, registerProbe }) {
    registerProbe('redis', async ({ options, signal, answeredBy }) => {
      const { host: name, port, path, username, password, max_lag } = options as z.output<typeof redis>
      const address = path === undefined ? { host: name, port } : { path }
      const connection = await host.net.connect(address, { signal, answeredBy }).catch(refused)
      try {
        const ask = readReply(connection)
        if (password !== undefined) await ask('AUTH', ...(username === undefined ? [] : [username]), password)
        await ask('PING')
        if (max_lag !== undefined) requireFresh(await ask('INFO', 'replication'), max_lag)
      } finally {
        connection.close()
      }
    })
  },
})

const refused = (thrown: unknown): never => {
  // By its parts: the host has a copy of the core of its own.
  if (thrown instanceof Error && 'errno' in thrown && thrown.errno === 'ECONNREFUSED')
    throw new Error('connection refused')
  throw thrown
}

const requireFresh = (info: string, maxLagMs: number): void => {
  if (!/^role:slave/m.test(info)) return
  if (!/^master_link_status:up/m.test(info)) throw new Error('it has no link to its master')
  const seconds = Number(/^master_last_io_seconds_ago:(-?\d+)/m.exec(info)?.[1] ?? 0)
  if (seconds * 1000 > maxLagMs) throw new Error(`it heard from its master ${seconds} s ago`)
}

/** The plugin of docs/plugins/health.md, as it stands there. */
import { definePlugin } from '@systemg/core'
import { z } from 'zod'

const redis = z.strictObject({ port: z.int().default(6379) }).describe('A Redis that answers PING.')

declare module '@systemg/core' {
  interface ProbeConfigs {
    redis?: z.input<typeof redis>
  }
}

export default definePlugin({
  name: 'redis-probe',
  probes: { redis },
  setup({ host, registerProbe }) {
    registerProbe('redis', async ({ options, signal, answeredBy }) => {
      const { port } = options as z.output<typeof redis>
      const connection = await host.net.connect({ host: 'localhost', port }, { signal, answeredBy })
      try {
        const answer = new Promise<string>((resolve, reject) => {
          connection.onData((chunk) => resolve(new TextDecoder().decode(chunk)))
          connection.onClose(() => reject(new Error('it closed the connection')))
        })
        await connection.write(new TextEncoder().encode('PING\r\n'))
        if (!(await answer).startsWith('+PONG')) throw new Error(`it answered ${await answer}`)
      } finally {
        connection.close()
      }
    })
  },
})

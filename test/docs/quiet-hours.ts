/** The plugin of docs/plugins/index.md, as it stands there. */
import { definePlugin } from '@systemg/core'
import { z } from 'zod'

const quietHours = z
  .strictObject({ from: z.int().min(0).max(23), to: z.int().min(0).max(23) })
  .optional()
  .describe('Hours (UTC) in which this service is not restarted.')

declare module '@systemg/core' {
  interface ServiceConfig {
    quiet_hours?: z.input<typeof quietHours>
  }
  interface ResolvedService {
    readonly quiet_hours?: z.output<typeof quietHours>
  }
}

export default definePlugin({
  name: 'quiet-hours',
  before: ['restart'],
  service: { quiet_hours: quietHours },
  live: ['quiet_hours'],
  setup({ hooks, host }) {
    hooks.retry.tap('quiet-hours', ({ service }) => {
      const hours = service.quiet_hours
      if (hours === undefined) return undefined
      const hour = new Date(host.clock.now()).getUTCHours()
      return hour >= hours.from && hour < hours.to ? { giveUp: 'quiet hours' } : undefined
    })
  },
})

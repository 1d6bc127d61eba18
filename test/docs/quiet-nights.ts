/** The plugin of docs/plugins/afternoon.md, as it stands there in two pieces. */
import { definePlugin, z } from '@systemg/core'

const quietNights = z
  .strictObject({
    from: z.int().min(0).max(23).default(22).describe('The hour it begins, UTC.'),
    to: z.int().min(0).max(23).default(6).describe('The hour it ends, UTC.'),
  })
  .optional()
  .describe('Hours in which this service is not restarted.')

declare module '@systemg/core' {
  interface ServiceConfig {
    /** Hours in which this service is not restarted. */
    quiet_nights?: z.input<typeof quietNights>
  }
  interface ResolvedService {
    readonly quiet_nights?: z.output<typeof quietNights>
  }
}

export default definePlugin({
  name: 'quiet-nights',
  before: ['restart'],
  service: { quiet_nights: quietNights },
  setup({ hooks, host }) {
    hooks.retry.tap('quiet-nights', ({ service }) => {
      const night = service.quiet_nights
      if (night === undefined) return undefined
      const hour = new Date(host.clock.now()).getUTCHours()
      const isNight =
        night.from <= night.to ? hour >= night.from && hour < night.to : hour >= night.from || hour < night.to
      return isNight ? { giveUp: 'quiet night' } : undefined
    })
  },
})

/** The strategy on the page `docs/plugins/deploy.md`, word for word. */
import { definePlugin, duration } from '@systemg/core'
import { z } from 'zod'

const canary = z.strictObject({
  watch: duration.prefault('1m').describe('How long the new instance is watched beside the old one.'),
})

declare module '@systemg/core' {
  interface StrategyConfigs {
    canary: z.input<typeof canary>
  }
  interface ResolvedStrategies {
    canary: z.output<typeof canary>
  }
}

export default definePlugin({
  name: 'canary',
  strategies: { canary },
  setup({ host, registerStrategy }) {
    registerStrategy('canary', ({ service, options }) => {
      const { watch } = options as z.output<typeof canary>
      const share = (percent: number) =>
        host.trace('info', `${percent} % of the users of ${service.name} get the new one`)
      return {
        name: 'canary',
        async run(replacement) {
          await replacement.step('candidate', () => replacement.launch())
          await replacement.step('ready', () => replacement.ready())
          await replacement.step('watch', async () => {
            share(5)
            await replacement.pause(watch)
          })
          share(100)
          replacement.promote()
          await replacement.step('retire', () => replacement.retire())
        },
        async undo() {
          share(0)
        },
      }
    })
  },
})

/** The plugin of docs/plugins/metrics.md, as it stands there. */
import { definePlugin } from '@systemg/core'

export default definePlugin({
  name: 'exits',
  setup({ hooks, registerMetric }) {
    const exits = new Map<string, number>()
    hooks.event.tap('exits', ({ type, service }) => {
      if (type === 'service.exited' && service !== undefined) exits.set(service, (exits.get(service) ?? 0) + 1)
    })
    registerMetric('exits_total', {
      type: 'counter',
      help: 'How often the program of a service has ended.',
      collect: () => [...exits].map(([service, value]) => ({ labels: { service }, value })),
    })
  },
})

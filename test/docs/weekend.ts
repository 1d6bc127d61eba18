/** The plugin of docs/plugins/plugin-hooks.md that taps a hook of another, as it stands there. */
import { definePlugin } from '@systemg/core'

export default definePlugin({
  name: 'weekend',
  setup({ host, hookOf }) {
    hookOf('freeze:reason').tap('weekend', () => {
      const day = new Date(host.clock.now()).getUTCDay()
      return day === 0 || day === 6 ? 'it is the weekend' : undefined
    })
  },
})

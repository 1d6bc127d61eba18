/** The plugin of docs/plugins/plugin-hooks.md that offers a hook, as it stands there. */
import { definePlugin, z } from '@systemg/core'

declare module '@systemg/core' {
  interface PluginHooks {
    /** Why nothing is deployed now. From `systemg-plugin-freeze`. */
    'freeze:reason': { kind: 'async bail'; args: [at: { service: string; signal: AbortSignal }]; answer: string }
  }
}

export default definePlugin({
  name: 'freeze',
  hooks: {
    'freeze:reason': {
      kind: 'async bail',
      description: 'Why this service is not deployed now. Asked before each deploy; no answer: it is.',
      onError: 'fail',
      limitMs: 5_000,
      answer: z.string().min(1).describe('a reason'),
    },
  },
  setup({ hooks, hookOf }) {
    hooks.beforeReplace.tapPromise('freeze', async ({ service, signal }) => {
      const reason = await hookOf('freeze:reason').promise({ service: service.name, signal })
      if (reason !== undefined) throw new Error(`deploys are frozen: ${reason}`)
    })
  },
})

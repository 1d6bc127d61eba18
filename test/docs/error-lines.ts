/** The plugin of docs/plugins/logs.md, as it stands there. */
import { definePlugin } from '@systemg/core'

export default definePlugin({
  name: 'error-lines',
  setup({ hooks, registerSink }) {
    const counts = new Map<string, number>()
    registerSink('error-lines', {
      wants: ({ service }) => service !== 'chatty',
      write({ service, chunk }) {
        const errors = new TextDecoder('latin1').decode(chunk).match(/^ERROR/gm)?.length ?? 0
        counts.set(service, (counts.get(service) ?? 0) + errors)
      },
    })
    hooks.inspect.tap('error-lines', (found) => {
      const lines = [`${counts.get(found.name) ?? 0} since the supervisor came up`]
      return { ...found, sections: [...found.sections, { title: 'errors', lines }] }
    })
  },
})

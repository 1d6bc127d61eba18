/** The same keys as in YAML, checked by the editor; a plugin is an object beside them. */
import { defineConfig, definePlugin } from 'systemg'

/** Appends a line to `starts.log` whenever an instance of a service starts. */
const startsLog = definePlugin({
  name: 'starts-log',
  setup(api) {
    const { hooks, host } = api
    const file = host.files.append(`${import.meta.dirname}/starts.log`)
    api.onDispose(() => file.close())
    const encoder = new TextEncoder()
    hooks.started.tap('starts-log', ({ id, pid, service }) => {
      const time = new Date(host.clock.now()).toISOString()
      file.write(encoder.encode(`${time} ${service.name} started as ${id}, pid ${pid ?? 'unknown'}\n`))
    })
  },
})

/** A service that writes the time now and then. */
const clock = (everyMs: number) => ({
  exec: ['node', '-e', `setInterval(() => console.log(new Date().toISOString()), ${everyMs})`],
  restart_policy: 'on-failure' as const,
})

export default defineConfig({
  version: '1',
  plugins: [startsLog],
  services: {
    minutes: clock(60_000),
    seconds: { ...clock(1_000), depends_on: ['minutes'] },
  },
})

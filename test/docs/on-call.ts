/** The plugin of docs/plugins/plugin-commands.md, as it stands there. */
import { definePlugin, z } from '@systemg/core'

const onCall = z.array(z.string().min(1)).optional().describe('Who is called at night, in turn.')
const params = z.strictObject({ next: z.boolean().default(false) })

declare module '@systemg/core' {
  interface SystemConfig {
    /** Who is called at night, in turn. */
    on_call?: z.input<typeof onCall>
  }
  interface ResolvedSystem {
    readonly on_call?: z.output<typeof onCall>
  }
}

export default definePlugin({
  name: 'on-call',
  system: { on_call: onCall },
  commands: {
    'on-call': {
      description: 'Show who is on call',
      args: { next: z.boolean().default(false).describe('Hand over to the next one').meta({ alias: 'n' }) },
      async run({ args, control, print }) {
        const said = (await control.call('on-call.who', { next: args.next })) as { who: string | null }
        print(said, () => said.who ?? 'nobody')
        return said.who === null ? 1 : 0
      },
    },
  },
  setup({ system, registerMethod }) {
    let turn = 0
    registerMethod('on-call.who', (given) => {
      const { next } = params.parse(given)
      const people = system.config.on_call ?? []
      if (next) turn += 1
      return { who: people[turn % people.length] ?? null }
    })
  },
})

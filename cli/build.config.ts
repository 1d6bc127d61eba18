import { sep } from 'node:path'
import { defineBuildConfig } from 'unbuild'

const controlClient = '@systemg/plugins/control/client'

/** What commands that only ask are made of. */
const clientFolders = ['client', 'project', 'terminal'].map((folder) => `${sep}src${sep}${folder}${sep}`)

export default defineBuildConfig({
  entries: [
    { input: 'src/main', name: 'main' },
    { input: 'src/index', name: 'index' },
  ],
  declaration: 'node16',
  clean: true,
  rollup: { emitCJS: false },
  hooks: {
    // Every file that is loaded costs a command half a millisecond: what each of them needs is in one.
    'rollup:options'(_, options) {
      options.preserveEntrySignatures = 'allow-extension'
      const { external } = options
      if (typeof external === 'function')
        options.external = (id, ...from) => id !== controlClient && external(id, ...from)
      for (const output of [options.output].flat()) {
        if (output)
          output.manualChunks = (id) =>
            clientFolders.some((folder) => id.includes(folder)) || id.includes(`${sep}control${sep}client`)
              ? 'client'
              : undefined
      }
    },
  },
})

import { isBuiltin } from 'node:module'
import { join, sep } from 'node:path'
import { defineBuildConfig, type RollupOptions } from 'unbuild'
import { licences } from './licences.ts'

/**
 * Used by single commands, and loaded by them. Everything else is in the bundle: a few files with what is used of them, where
 * Node would find, read and run more than two hundred at every start of a supervisor.
 */
const outside = ['acorn', 'citty', 'cosmiconfig', 'execa']

/** Of the types, as unbuild has it: every dependency. */
let isOutsideOfTypes: ((id: string, from: string | undefined, isResolved: boolean) => unknown) | undefined

/** What commands that only ask are made of. */
const clientFolders = ['client', 'project', 'terminal'].map((folder) => `${sep}src${sep}${folder}${sep}`)

/**
 * `import … from 'node:fs'` asks the module for every name that it exports, and with that loads its promises, streams and
 * watchers; of `node:crypto`, all of WebCrypto. Together that is half of what a bare `node` takes. What is made of it here asks
 * for what is used.
 */
const leanBuiltins = {
  name: 'lean-builtins',
  renderChunk: (code: string) => ({
    code: code.replaceAll(/^import (?:(.+) from )?'(.+)';$/gm, (line, names: string | undefined, from: string) =>
      isBuiltin(from) ? askedFor(names, from) : line,
    ),
    map: null,
  }),
}

/** `one, { two as three }` of a module that Node has; `undefined`: nothing. */
const askedFor = (names = '', from: string): string => {
  const whole = /^(?:\* as )?([\w$]+)/.exec(names)?.[1]
  const some = /\{.+\}/.exec(names)?.[0].replaceAll(' as ', ': ')
  return [whole, some]
    .flatMap((name) => (name === undefined ? [] : [`const ${name} = process.getBuiltinModule('${from}');`]))
    .join(' ')
}

/**
 * One character that is not ASCII, and be it in a comment, has V8 decode, compare and keep two bytes for each of the file.
 * Nothing here is in `String.raw`, where an escape would be something else.
 */
const ascii = {
  name: 'ascii',
  renderChunk: (code: string) => ({
    code: code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
    map: null,
  }),
}

/** Everything but `outside`. */
const inBundle = (options: RollupOptions): void => {
  options.preserveEntrySignatures = 'allow-extension'
  options.plugins.push(leanBuiltins, ascii)
  options.external = (id) => isBuiltin(id) || outside.includes(id)
  // It is of many files, and says of none that it does nothing by itself; what nobody uses of it is left out.
  options.treeshake = { moduleSideEffects: (id) => !id.includes(join('node_modules', 'yaml') + sep) }
}

/** Both bundles are modules, made of the sources of all packages. */
const fromSource = { emitCJS: false, resolve: { exportConditions: ['systemg-source'] } }

export default defineBuildConfig([
  {
    entries: [
      { input: 'src/main', name: 'main' },
      { input: 'src/index', name: 'index' },
      { input: 'src/testing', name: 'testing' },
    ],
    declaration: 'node16',
    clean: true,
    rollup: fromSource,
    hooks: {
      // Every file that is loaded costs a command half a millisecond: what each of them needs is in one.
      'rollup:options'(_, options) {
        const { external } = options
        if (typeof external === 'function') isOutsideOfTypes = external
        inBundle(options)
        // The other bundle holds nothing that this one does not.
        options.plugins.push(licences('licences.txt'))
        for (const output of [options.output].flat()) {
          if (output)
            output.manualChunks = (id) =>
              clientFolders.some((folder) => id.includes(folder)) || id.includes(`${sep}control${sep}client`)
                ? 'client'
                : undefined
        }
      },
      // Types stay where they are: plugins add to those of the core, by its name.
      'rollup:dts:options'(_, options) {
        options.external = (...asked) => isOutsideOfTypes?.(...asked) === true
      },
    },
  },
  // What is shared with commands would be in dozens of files, and a supervisor is away while it loads them.
  {
    entries: [{ input: 'src/supervisor/main', name: 'main' }],
    outDir: 'dist/supervisor',
    declaration: false,
    clean: false,
    rollup: fromSource,
    hooks: { 'rollup:options': (_, options) => inBundle(options) },
  },
])

/** Every error code: those of the catalogues, and those that plugins bring. */
import { catalog, type ErrorCatalog, type ErrorText } from '@systemg/core'
import { loadErrors } from '../../cli/src/config/errors.ts'
import { exitCodeOf, exitCodes } from '../../cli/src/exit-codes.ts'
import { failures } from '../../cli/src/failures.ts'
import { initErrors } from '../../cli/src/templates/errors.ts'
import { textOf } from './error-texts.ts'
import { foundCodes } from './found-codes.ts'
import { generatedNote } from './markdown.ts'

/** The catalogues: what a user can meet, with the text for it. */
const catalogues: ErrorCatalog = { ...catalog, ...failures, ...loadErrors, ...initErrors }

/** Not an error of its own. */
const unlisted = 'SYSG_UNLISTED'

/** Codes whose text is written anew for each occasion, or far from the code. */
const notes: Readonly<Record<string, string>> = {
  SYSG_CONFIG_COMBINATION: 'Keys or services of the config cannot work together; the message names them.',
  SYSG_CONFIG_FAILED:
    'The config is code or JSON and could not be evaluated; the message says why, with its own words.',
  SYSG_CONFIG_TS_SYNTAX: 'The config has syntax that Node cannot run by leaving the types out, such as an `enum`.',
  SYSG_CONFIG_VALUE: 'A value is none that its key takes; the message says what was expected.',
  SYSG_CONFIG_YAML: 'The config is no valid YAML; the message says what is wrong at the marked place.',
  SYSG_CONTROL_BUSY: 'Too many requests run on one connection of the control socket.',
  SYSG_CONTROL_ERROR: 'The supervisor answered with an error that has no code of systemg.',
  SYSG_CONTROL_METHOD_UNKNOWN: 'No plugin has this method of the control socket.',
  SYSG_CONTROL_PARAMS_INVALID: 'The parameters of a control method are wrong; the message names each.',
  SYSG_CONTROL_REQUEST_INVALID: 'What came over the control socket is no request, or has an id that is in use.',
  SYSG_INTERNAL: 'Something failed in a way that nobody foresaw: a bug. The message is what was thrown.',
  SYSG_PLUGIN_OPTIONS: 'An option given to a plugin is wrong; the message says what was expected.',
  SYSG_USAGE: 'The command line is wrong; the message says where.',
}

/** Every code with its section of the page. */
export const errorSections = (): ReadonlyMap<string, string> => {
  const listed = Object.entries(catalogues).map(([code, entry]) => [code, section(code, textOf(entry))] as const)
  const others = foundCodes()
    .filter(({ code }) => !(code in catalogues))
    .map(({ code, file, message, hint }) => {
      const text = hint === undefined ? { message: message ?? '' } : { message: message ?? '', hint }
      return [code, section(code, text, whereFrom(file))] as const
    })
  const all = [...listed, ...others].filter(([code]) => code !== unlisted)
  return new Map(all.sort(([a], [b]) => (a < b ? -1 : 1)))
}

export const errorsPage =
  (): string => `${generatedNote('the catalogues of the core and the cli, and the sources of the plugins')}

# Errors

Every error has a code that never changes; its wording may. \`‹…›\` stands for what is known when it happens. Errors go to
stderr: what happened and why, then what to do. Where no exit code is named it is 1, and 5 when the mistake is in a config.

${[...errorSections().values()].join('\n\n')}
`

const section = (code: string, { message, hint }: ErrorText, from = ''): string => {
  const exitCode = exitCodeOf(code)
  const facts = [exitCode === exitCodes.failed ? '' : `Exit code ${exitCode}.`, from].filter((part) => part !== '')
  const text = notes[code] === undefined ? [message, hint] : [notes[code]]
  return [`## \`${code}\``, ...text, facts.join(' ')].filter((part) => !isEmpty(part)).join('\n\n')
}

/** A hint that is written anew for each occasion says nothing here. */
const isEmpty = (part: string | undefined): boolean => part === undefined || part === '' || part === '‹hint›'

const whereFrom = (file: string): string => {
  const [workspace, , plugin] = file.split('/')
  return workspace === 'plugins' && plugin !== undefined ? `From the [${plugin}](../plugins/${plugin}.md) plugin.` : ''
}

/** Says in words what went wrong when a user's code was loaded. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Position } from '@systemg/core'
import type { LoadFinding } from './errors.ts'
import { placeOfHead, placeOfThrown } from './thrown-place.ts'

export interface ModuleProblem {
  readonly finding: LoadFinding
  readonly position: Position | undefined
}

/**
 * @param what - What was loaded, for messages: `The config`, ``Plugin `x` ``.
 * @param lastFile - The file that was imported last: the one Node stumbled over when it names none.
 */
export const moduleProblem = async (thrown: unknown, what: string, lastFile: string): Promise<ModuleProblem> => {
  const position = placeOfThrown(thrown)
  const stripped = strippingFinding(thrown, what)
  if (stripped !== undefined) return { finding: stripped, position }
  const { message, hint } = failureText(thrown, what)
  const finding: LoadFinding = ['SYSG_CONFIG_FAILED', { message, hint }]
  if (!(thrown instanceof SyntaxError) || position !== undefined) return { finding, position }
  return { finding, position: await checkedPlace(lastFile) }
}

/** What Node says about TypeScript that it does not run. */
const strippingFinding = (thrown: unknown, what: string): LoadFinding | undefined => {
  const text = thrown instanceof Error ? firstLine(thrown.message) : ''
  switch (codeOf(thrown)) {
    case 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX': {
      const feature = /^TypeScript (.+?)(?: declaration)? is not supported/.exec(text)?.[1]
      const message = `${what} has ${feature === undefined ? 'TypeScript syntax' : `a TypeScript ${feature}`}, which can't be run as it stands.`
      const hint =
        'Node strips types only: no enum, namespace, parameter property. An object `as const` does for an enum.'
      return ['SYSG_CONFIG_TS_SYNTAX', { message, hint }]
    }
    case 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING': {
      const file = /for "(?:file:\/\/)?(.+?)"/.exec(text)?.[1] ?? ''
      const name = /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? 'a package'
      const message = `${what} needs \`${name}\`, which ships TypeScript only: ${basename(file)}.`
      const hint =
        'Node strips types only outside of node_modules: a package must ship JavaScript. Name its source by a relative path, or link it.'
      return ['SYSG_CONFIG_TS_SYNTAX', { message, hint }]
    }
    case 'ERR_INVALID_TYPESCRIPT_SYNTAX':
      return [
        'SYSG_CONFIG_TS_SYNTAX',
        { message: `${what} is no valid TypeScript: ${text.replace(/(?:\. Expected .*)?\.$/, '')}.`, hint: syntaxHint },
      ]
    default:
      return undefined
  }
}

const syntaxHint = 'The mistake is at the marker or just before it.'

const failureText = (thrown: unknown, what: string): { message: string; hint?: string } => {
  if (codeOf(thrown) === 'ERR_MODULE_NOT_FOUND' && thrown instanceof Error) return missingText(thrown.message, what)
  const why = whyOfThrown(thrown)
  if (thrown instanceof SyntaxError) {
    const isExport = why.includes('does not provide an export')
    return isExport
      ? { message: `${what} imports what is not there: ${why}.` }
      : { message: `${what} is no valid JavaScript: ${why}.`, hint: syntaxHint }
  }
  return { message: `${what} failed: ${why}.`, hint: 'It is code that runs when it is loaded; this is what it threw.' }
}

const missingText = (message: string, what: string): { message: string; hint: string } => {
  const [, kind = 'module', wanted = ''] = /^Cannot find (module|package) '(.+?)'/.exec(message) ?? []
  if (kind === 'package') {
    const hint = `\`npm install ${wanted}\` in the config's folder adds it.`
    return { message: `${what} imports the package \`${wanted}\`, which is not installed.`, hint }
  }
  const stem = wanted.replace(/\.[cm]?js$/, '')
  const meant = ['.ts', '.mts', '.js', '.mjs', '/index.ts', '/index.js']
    .map((end) => stem + end)
    .find((path) => existsSync(path))
  const hint =
    meant === undefined
      ? 'Check the path; it starts from the importing file.'
      : `Node wants the file's whole name: write \`${meant.slice(wanted.lastIndexOf('/') + 1)}\`.`
  return { message: `${what} imports ${wanted}, which does not exist.`, hint }
}

/** The message of whatever was thrown, on one line, without a final full stop. */
export const whyOfThrown = (thrown: unknown): string => {
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown)
  return firstLine(text).replace(/\.$/, '') || 'it threw nothing that says why'
}

const firstLine = (text: string): string => text.trim().split('\n', 1)[0]?.slice(0, 500) ?? ''

const codeOf = (thrown: unknown): unknown => (thrown instanceof Error && 'code' in thrown ? thrown.code : undefined)

/** Node keeps to itself where an ES module has its mistake, but `node --check` tells. Nothing is run. */
const checkedPlace = async (file: string): Promise<Position | undefined> => {
  const [{ execFile }, text] = await Promise.all([
    import('node:child_process'),
    readFile(file, 'utf8').catch(() => undefined),
  ])
  if (text === undefined) return undefined
  const stderr = await new Promise<string>((resolve) => {
    const options = { timeout: 10_000 }
    const check = execFile(process.execPath, ['--check', '--input-type=module', '-'], options, (_error, _out, err) =>
      resolve(err),
    )
    // A text longer than a pipe, of which Node wants no more after the mistake.
    check.stdin?.on('error', () => undefined).end(text)
  })
  return placeOfHead(stderr.slice(Math.max(0, stderr.indexOf('[stdin]'))).replace('[stdin]', file))
}

/** Error codes outside of any catalogue: found by their name in the sources, with what they say where that is plain. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

export interface FoundCode {
  readonly code: string
  /** Path of the first file that has it, below the repository. */
  readonly file: string
  /** `‹…›` stands for what is only known when it happens. */
  readonly message?: string
  readonly hint?: string
}

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Names of environment variables look like codes. */
export const variables: ReadonlySet<string> = new Set([
  ...[
    'SYSG_HOME',
    'SYSG_TOKEN',
    'SYSG_RUN',
    'SYSG_PROJECT',
    'SYSG_SERVICE',
    'SYSG_INSTANCE',
    'SYSG_REPLICA',
    'SYSG_SLOT',
    'SYSG_CANDIDATE_SLOT',
    'SYSG_ACTIVE_SLOT',
    'SYSG_SOCKET',
    'SYSG_EVENT',
    'SYSG_PID',
    'SYSG_EXIT_CODE',
    'SYSG_SIGNAL',
    'SYSG_ATTEMPT',
    'SYSG_NOTIFY_FD',
    'SYSG_HOLDER',
    'SYSG_HELD',
    'SYSG_RESPAWNS',
    'SYSG_CGROUPS',
    'SYSG_CHILD_NAME',
    'SYSG_EXPIRES_AT',
    'SYSG_LOG_LEVEL',
  ],
])

/** Codes in strings of the plugins and the cli, sorted; one entry each, the one that says most. */
export const foundCodes = (): readonly FoundCode[] => {
  const found = new Map<string, FoundCode>()
  for (const file of [...filesBelow('plugins/src'), ...filesBelow('cli/src')]) {
    const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true)
    visit(source, (node) => {
      if (!ts.isStringLiteralLike(node) || !/^SYSG_[A-Z]+(_[A-Z]+)*$/.test(node.text) || variables.has(node.text))
        return
      const next = { code: node.text, file, ...saidBeside(node) }
      const known = found.get(node.text)
      if (known === undefined || (known.message === undefined && next.message !== undefined)) found.set(node.text, next)
    })
  }
  return [...found.values()].sort((a, b) => (a.code < b.code ? -1 : 1))
}

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
    .sort()

const visit = (node: ts.Node, see: (node: ts.Node) => void): void => {
  see(node)
  ts.forEachChild(node, (child) => visit(child, see))
}

/** `of('SYSG_X', { message, hint })`, `refuse('SYSG_X', message, hint)`, or `{ code: 'SYSG_X', message, hint }`. */
const saidBeside = (literal: ts.StringLiteralLike): Pick<FoundCode, 'message' | 'hint'> => {
  const parent = ts.isAsExpression(literal.parent) ? literal.parent.parent : literal.parent
  if (ts.isPropertyAssignment(parent) && ts.isObjectLiteralExpression(parent.parent)) return ofObject(parent.parent)
  if (!ts.isCallExpression(parent) && !ts.isNewExpression(parent)) return {}
  const [first, text, hint] = parent.arguments ?? []
  if (first !== literal || text === undefined) return {}
  return ts.isObjectLiteralExpression(text) ? ofObject(text) : said(text, hint)
}

const ofObject = (object: ts.ObjectLiteralExpression): Pick<FoundCode, 'message' | 'hint'> => {
  const property = (name: string) =>
    object.properties
      .filter((each): each is ts.PropertyAssignment => ts.isPropertyAssignment(each))
      .find((each) => each.name.getText() === name)?.initializer
  return said(property('message'), property('hint'))
}

const said = (message: ts.Node | undefined, hint: ts.Node | undefined): Pick<FoundCode, 'message' | 'hint'> => {
  const [text, advice] = [plain(message), plain(hint)]
  return text === undefined ? {} : { message: text, ...(advice === undefined ? {} : { hint: advice }) }
}

/** The text of a string or template; `undefined` for anything else. */
const plain = (node: ts.Node | undefined): string | undefined => {
  if (node === undefined) return undefined
  if (ts.isStringLiteralLike(node)) return node.text
  if (!ts.isTemplateExpression(node)) return undefined
  const spans = node.templateSpans.map(({ expression, literal }) => `‹${nameOf(expression)}›${literal.text}`)
  return `${node.head.text}${spans.join('')}`
}

/** `service.name` and `pattern` say what they are; other expressions do not. */
const nameOf = (expression: ts.Expression): string =>
  /^[\w.]+$/.test(expression.getText()) ? expression.getText() : '…'

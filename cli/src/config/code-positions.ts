/** Where the parts of a config that is code stand in its file, as far as they are written out there. */
import { createRequire, stripTypeScriptTypes } from 'node:module'
import type * as Acorn from 'acorn'
import type { Path, Position, PositionOf } from '@systemg/core'
import { quietly } from '../quietly.ts'

/** Answers nothing where the code is not plain: behind computed keys, calls of other functions, imports. Reads the code when first asked. */
export const codePositions = (file: string, text: string): PositionOf => {
  let program: Program | undefined | 'unread' = 'unread'
  return (path, part = 'value', marked) => {
    if (program === 'unread') program = programOf(javaScriptOf(file, text))
    const config = program === undefined ? undefined : exportOf(program)
    const spot = program === undefined || config === undefined ? undefined : spotAt(config, path, [program.body])
    if (spot === undefined) return undefined
    const { key, value } = spot
    const written = text.slice(value.start, value.end)
    const at = marked === undefined ? -1 : written.indexOf(marked)
    if (marked !== undefined && at >= 0) {
      const start = value.start + at
      return positionOf(file, text, start, start + marked.length)
    }
    const shown = key !== undefined && (part === 'key' || written.includes('\n')) ? key : value
    return positionOf(file, text, shown.start, shown.end)
  }
}

type AnyNode = Acorn.AnyNode
type Program = Acorn.Program

/** Needed after a mistake only, and then at once. */
const acorn = () => createRequire(import.meta.url)('acorn') as typeof Acorn

/** Types become blanks, so every place stays what it was. */
const javaScriptOf = (file: string, text: string): string | undefined => {
  if (!/\.[cm]?ts$/.test(file)) return text
  try {
    return quietly(() => stripTypeScriptTypes(text, { mode: 'strip' }))
  } catch {
    return undefined
  }
}

const programOf = (source: string | undefined): Program | undefined => {
  if (source === undefined) return undefined
  const settings = { ecmaVersion: 'latest', allowHashBang: true, allowReturnOutsideFunction: true } as const
  for (const sourceType of ['module', 'script'] as const) {
    try {
      return acorn().parse(source, { ...settings, sourceType })
    } catch {
      continue
    }
  }
  return undefined
}

/** `export default …`, or `module.exports = …`. */
const exportOf = ({ body }: Program): AnyNode | undefined => {
  for (const statement of body) {
    if (statement.type === 'ExportDefaultDeclaration') return statement.declaration
    if (statement.type !== 'ExpressionStatement' || statement.expression.type !== 'AssignmentExpression') continue
    const { left, right } = statement.expression
    if (left.type === 'MemberExpression' && left.property.type === 'Identifier' && left.property.name === 'exports')
      return right
  }
  return undefined
}

interface Spot {
  readonly key?: AnyNode
  readonly value: AnyNode
}

/** Statements in which a name may be declared, the innermost first. */
type Scopes = readonly (readonly AnyNode[])[]

const spotAt = (config: AnyNode, path: Path, scopes: Scopes): Spot | undefined => {
  let spot: Spot | undefined = { value: config }
  let inner = scopes
  for (const part of path) {
    const plain: Plain | undefined = spot === undefined ? undefined : plainOf(spot.value, inner)
    if (plain === undefined) return undefined
    inner = plain.scopes
    spot = typeof part === 'number' ? itemOf(plain.node, part) : propertyOf(plain, part)
  }
  return spot
}

interface Plain {
  readonly node: AnyNode
  readonly scopes: Scopes
}

/** The object or list that an expression stands for. */
const plainOf = (node: AnyNode, scopes: Scopes, depth = 0): Plain | undefined => {
  if (node.type === 'ObjectExpression' || node.type === 'ArrayExpression') return { node, scopes }
  const next = behind(node, scopes)
  if (!next?.node || depth === maxDepth) return undefined
  return plainOf(next.node, next.scopes ?? scopes, depth + 1)
}

/** What a `const` is, what a function gives back, what `defineConfig` takes. */
const behind = (
  node: AnyNode,
  scopes: Scopes,
): { readonly node: AnyNode | null | undefined; readonly scopes?: Scopes } | undefined => {
  if (node.type === 'Identifier') return { node: declared(node.name, scopes) }
  if (node.type === 'CallExpression') return { node: node.arguments[0] }
  if (node.type === 'AwaitExpression') return { node: node.argument }
  if (!('body' in node) || !('params' in node)) return undefined
  if (node.body.type !== 'BlockStatement') return { node: node.body }
  const { body } = node.body
  const last = body.findLast((statement) => statement.type === 'ReturnStatement')
  return { node: last?.argument, scopes: [body, ...scopes] }
}

/** A `const` may be made of itself only by mistake. */
const maxDepth = 20

const declared = (name: string, scopes: Scopes): AnyNode | undefined => {
  for (const written of scopes.flat()) {
    const statement = written.type === 'ExportNamedDeclaration' ? written.declaration : written
    if (statement?.type === 'FunctionDeclaration' && statement.id?.name === name) return statement
    if (statement?.type !== 'VariableDeclaration') continue
    const found = statement.declarations.find(({ id }) => id.type === 'Identifier' && id.name === name)
    if (found?.init) return found.init
  }
  return undefined
}

const itemOf = (list: AnyNode, index: number): Spot | undefined => {
  if (list.type !== 'ArrayExpression') return undefined
  const until = list.elements.slice(0, index + 1)
  const value = until.some((item) => item?.type === 'SpreadElement') ? undefined : until[index]
  return value ? { value } : undefined
}

/** What stands last counts. */
const propertyOf = ({ node, scopes }: Plain, name: string): Spot | undefined => {
  if (node.type !== 'ObjectExpression') return undefined
  for (const property of node.properties.toReversed()) {
    if (property.type === 'SpreadElement') {
      const spread = plainOf(property.argument, scopes)
      const found = spread === undefined ? undefined : propertyOf(spread, name)
      if (found !== undefined) return found
    } else if (nameOf(property) === name) return { key: property.key, value: property.value }
  }
  return undefined
}

const nameOf = ({ key, computed }: { readonly key: AnyNode; readonly computed: boolean }): string | undefined => {
  if (key.type === 'Literal') return String(key.value)
  return key.type === 'Identifier' && !computed ? key.name : undefined
}

const positionOf = (file: string, text: string, start: number, end: number): Position => {
  const { line, column } = acorn().getLineInfo(text, start)
  const length = text.slice(start, end).split('\n', 1)[0]?.length ?? 0
  return { file, line, column: column + 1, endColumn: column + 1 + Math.max(length, 1) }
}

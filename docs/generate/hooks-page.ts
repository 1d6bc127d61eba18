/** Every hook, from the comments and types of `core/src/hooks.ts` and the policies beside them. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { hookPolicies } from '@systemg/core'
import ts from 'typescript'
import { generatedNote } from './markdown.ts'

const file = fileURLToPath(new URL('../../core/src/hooks.ts', import.meta.url))

/** One hook as it is declared. */
export interface DeclaredHook {
  readonly name: string
  /** Its comment, without stars. */
  readonly comment: string
  /** Its type as written. */
  readonly type: string
}

/** The members of `Hooks`, in the order of their declaration. */
export const declaredHooks = (): readonly DeclaredHook[] => {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)
  return source.statements
    .filter((statement): statement is ts.InterfaceDeclaration => ts.isInterfaceDeclaration(statement))
    .filter(({ name }) => name.text === 'Hooks')
    .flatMap(({ members }) => [...members])
    .filter((member): member is ts.PropertySignature => ts.isPropertySignature(member))
    .map((member) => ({
      name: member.name.getText(),
      comment: commentOf(member),
      type: member.type?.getText() ?? '',
    }))
}

export const hooksPage = (): string => `${generatedNote('core/src/hooks.ts')}

# Hooks

Plugins act by tapping hooks: \`hooks.prepare.tapPromise('my-plugin', async (spec, at) => …)\`. The hooks are
[tapable](https://github.com/webpack/tapable)'s, so order is by \`stage\` and \`before\`, then by registration. The core is
the only caller. [Writing a plugin](../plugins/index.md) shows them at work.

- **series**: every tap runs. **bail**: the first answer that is not \`undefined\` wins. **waterfall**: each answer replaces
  the first argument for the taps behind it.
- A tap of an async hook gets a \`signal\` of its own, aborted by its time limit or by a later intent; what it answers
  after that is ignored. \`{ name, limitMs }\` in place of the name asks for another limit.
- A tap that fails where errors are reported is told by \`plugin.error\`, and the next one runs; elsewhere the operation
  fails with the name of the plugin.

${declaredHooks().map(section).join('\n\n')}
`

const section = ({ name, comment, type }: DeclaredHook): string => {
  const { kind, limitMs } = hookPolicies[name as keyof typeof hookPolicies]
  const isAsync = type.startsWith('Async')
  const [summary, ...rest] = comment.split('\n\n')
  const details = rest.join('\n').replaceAll(/(?:^|(?<=\.)\s+)(Kind|When|Order|Error): /g, '\n- **$1:** ')
  const limit = isAsync ? `\n- **Time limit:** ${limitMs / 1000} s for one tap.` : ''
  return `## \`${name}\`

${summary ?? ''}
${details}${limit}

\`\`\`ts
// ${isAsync ? 'async' : 'sync'} ${kind}
${name}: ${type}
\`\`\``
}

const commentOf = (node: ts.Node): string =>
  ts
    .getJSDocCommentsAndTags(node)
    .map((comment) => comment.getText())
    .join('\n')
    .replaceAll(/^\/\*\*\s*|\s*\*\/$/g, '')
    .replaceAll(/^[ \t]*\* ?/gm, '')
    .trim()

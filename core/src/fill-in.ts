/** `${SYSG_…}` in what the config says, filled in at launch: only then is it known which instance it is about. */
import type { LaunchSpec } from './launch-spec.ts'

type Variables = Readonly<Record<string, string>>

/** Behind `:-` or `:?` stands what is needed when nothing is known, and one of our own always is. */
const reference = /\$\{(SYSG_\w+)(?::?[-?][^{}]*)?\}/g

/** The text with every `${SYSG_…}` that is known. Others stay as they are. */
export const fillIn = (text: string, variables: Variables): string =>
  text.replaceAll(reference, (written, name: string) => variables[name] ?? written)

const hasReference = (text: string): boolean => text.includes('${SYSG_')

/** Values that mean the same to a shell, quoted or not. */
const isPlain = /^[\w./:@%+,-]+$/

/**
 * A launch spec with its references filled in: in the arguments, the folder, and the environment.
 *
 * @param inherited - The supervisor's environment: what came from there says nothing about instances.
 */
export const fillInSpec = (spec: LaunchSpec, inherited: Variables): LaunchSpec => {
  const { argv, cwd, env } = spec
  if (![cwd, ...argv, ...Object.values(env)].some(hasReference)) return spec
  const [program, ...rest] = argv
  // A shell script gets no text that it could run; the shell finds the rest in its environment.
  const plain = Object.fromEntries(Object.entries(env).filter(([, value]) => isPlain.test(value)))
  const isScript = (index: number) => rest[index - 1] === '-c'
  return {
    ...spec,
    argv: [fillIn(program, env), ...rest.map((word, index) => fillIn(word, isScript(index) ? plain : env))],
    cwd: fillIn(cwd, env),
    env: Object.fromEntries(
      Object.entries(env).map(([name, value]) => [name, value === inherited[name] ? value : fillIn(value, env)]),
    ),
  }
}

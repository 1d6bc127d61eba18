/** What is wrong with the commands that a plugin brings, as far as it is seen without running them. */
import { globalOptions } from '../parse.ts'
import { isMap, isSchema } from './value-kinds.ts'

/** Undefined when they can be used. Their names are checked where it is known whose they are. */
export const whyNoCommands = (commands: unknown): string | undefined => {
  if (commands === undefined) return undefined
  if (!isMap(commands)) return 'its `commands` is no map of names to commands'
  return Object.entries(commands)
    .map(([name, command]) => {
      const why = whyNoCommand(command)
      return why === undefined ? undefined : `its command \`${name}\` ${why}`
    })
    .find((why) => why !== undefined)
}

const whyNoCommand = (command: unknown): string | undefined => {
  if (!isMap(command)) return 'is no map'
  const { description, positionals, args = {}, run } = command
  if (typeof description !== 'string' || description.trim() === '') return 'has no `description`'
  if (typeof run !== 'function') return 'has no function `run`'
  if (positionals !== undefined && typeof positionals !== 'string') return 'has `positionals` that are no text'
  if (!isMap(args)) return 'has `args` that are no map of options to schemas'
  for (const [name, schema] of Object.entries(args)) {
    if (!isSchema(schema)) return `has an option \`--${name}\` whose schema is no zod 4 schema`
    if (!/^[a-z][a-z0-9-]+$/i.test(name)) return `has an option \`--${name}\`, which cannot be typed`
    if (Object.hasOwn(globalOptions, name)) return `has an option \`--${name}\`, which every command has`
  }
  return undefined
}

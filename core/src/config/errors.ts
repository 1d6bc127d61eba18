/** The mistakes a config can hold. Part of the one catalogue in `../errors.ts`. */
export const configErrors = {
  SYSG_CONFIG_INVALID: (facts: { count: number; file: string }) => ({
    message: `${facts.file} has ${facts.count === 1 ? 'a mistake' : `${facts.count} mistakes`}.`,
    hint: 'Nothing was started, stopped or changed.',
  }),
  SYSG_CONFIG_YAML: (facts: { message: string; hint: string }) => facts,
  SYSG_CONFIG_EMPTY: (facts: { what: string; hint: string }) => ({
    message: `${facts.what} is empty.`,
    hint: facts.hint,
  }),
  SYSG_CONFIG_INCLUDE: (facts: { path: string; why: string; chain: readonly string[] }) => ({
    message: `\`!include ${facts.path}\` ${facts.why}.`,
    hint: `Included from: ${facts.chain.join(' → ')}. Paths start from the folder of the including file.`,
  }),
  SYSG_CONFIG_KEY_UNKNOWN: (facts: { key: string; suggestion?: string | undefined; hint?: string | undefined }) => ({
    message: `\`${facts.key}\` is not a key that can stand here.`,
    hint: facts.suggestion === undefined ? (facts.hint ?? 'Remove it.') : `Did you mean \`${facts.suggestion}\`?`,
  }),
  SYSG_CONFIG_KEY_MISSING: (facts: {
    what: string
    key: string
    expected?: string | undefined
    hint?: string | undefined
  }) => ({
    message: `${facts.what} has no \`${facts.key}\`${facts.expected === undefined ? '' : `: it must be ${facts.expected}`}.`,
    hint: facts.hint ?? `Add \`${facts.key}\`.`,
  }),
  SYSG_CONFIG_VALUE: (facts: { message: string; hint?: string | undefined }) => ({
    message: facts.message,
    ...(facts.hint === undefined ? {} : { hint: facts.hint }),
  }),
  SYSG_CONFIG_SERVICE_NAME: (facts: { name: string; why: string }) => ({
    message: `\`${facts.name}\` can't be the name of a service: ${facts.why}.`,
    hint: 'Use letters, digits, `_`, `.` and `-`, a letter or digit first, at most 63 characters.',
  }),
  SYSG_CONFIG_VARIABLE_UNDEFINED: (facts: { name: string; reference: string; message?: string | undefined }) => ({
    message:
      facts.message === undefined ? `\`${facts.name}\` is not set.` : `\`${facts.name}\` is not set: ${facts.message}.`,
    hint: `Set it, give a default (\`\${${facts.name}:-…}\`), or leave it to the shell: \`$${facts.name}\` or \`$${facts.reference}\`.`,
  }),
  SYSG_CONFIG_VARIABLE_CIRCLE: (facts: { names: readonly string[] }) => ({
    message: `These variables refer to each other in a circle: ${facts.names.join(', ')}.`,
    hint: 'Give one of them a value that does not need the others.',
  }),
  SYSG_CONFIG_VARIABLE_SYNTAX: (facts: { reference: string; why: string }) => ({
    message: `\`${facts.reference}\` ${facts.why}.`,
    hint: `Known are \`\${VAR}\`, \`\${VAR:-default}\` and \`\${VAR:?message}\`. Write \`$${facts.reference}\` to leave it to the shell.`,
  }),
  SYSG_CONFIG_COMBINATION: (facts: { message: string; hint?: string | undefined }) => ({
    message: facts.message,
    ...(facts.hint === undefined ? {} : { hint: facts.hint }),
  }),
}

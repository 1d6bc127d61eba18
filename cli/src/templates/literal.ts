/** Text that must come out as it is, although systemg expands `${VAR}` and reads `$$` as `$`. */
export const literal = (text: string): string => text.replace(/\$+(?=\{)|\$\${1,}/g, (dollars) => dollars.repeat(2))

/** A word as one argument of `sh`. */
export const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`

/** What a terminal shows after it got some text: just the control sequences that systemg uses, and nothing silently. */

/** Lines on the screen, without trailing spaces; the cursor's own line is the last one. */
export const screenOf = (text: string): string[] => {
  const lines = ['']
  let row = 0
  let column = 0
  const put = (character: string) => {
    while (lines.length <= row) lines.push('')
    const line = (lines[row] ?? '').padEnd(column)
    lines[row] = line.slice(0, column) + character + line.slice(column + 1)
    column += 1
  }
  for (const [token] of text.matchAll(/\u001B\[(\d*)([A-Z])|[^]/gu)) {
    const [, count, command] = /^\u001B\[(\d*)([A-Z])$/.exec(token) ?? []
    if (token === '\n') {
      row += 1
      column = 0
      if (lines.length <= row) lines.push('')
    } else if (token === '\r') column = 0
    else if (command === 'A') {
      row -= Number(count)
      if (row < 0) throw new Error('the cursor went above the first line')
    } else if (command === 'K') lines[row] = (lines[row] ?? '').slice(0, column)
    else if (command === 'J') {
      lines[row] = (lines[row] ?? '').slice(0, column)
      lines.length = row + 1
    } else if (command === 'H') row = column = 0
    else if (command !== undefined || token === '\u001B')
      throw new Error(`unknown control sequence ${JSON.stringify(token)}`)
    else put(token)
  }
  return lines.map((line) => line.trimEnd())
}

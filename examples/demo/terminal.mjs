/** How the demo talks: headings, commands as typed, and what was checked. At most 80 columns; colours only on a terminal. */
import { styleText } from 'node:util'

const isPlain = (stream) => stream.isTTY !== true || Boolean(process.env.NO_COLOR) || process.env.TERM === 'dumb'
const paint = (style, text, stream = process.stdout) =>
  isPlain(stream) ? text : styleText(style, text, { validateStream: false })

export const say = (text) => void process.stdout.write(`${text}\n`)
export const heading = (text) => say(`\n${paint('bold', `— ${text} —`)}\n`)
export const typed = (command) => say(paint('cyan', `$ ${command}`))
export const checked = (fact) => say(`${paint('green', '✔')} ${fact}`)
export const complain = (text) => void process.stderr.write(`\n${paint('red', '✘', process.stderr)} ${text}\n`)

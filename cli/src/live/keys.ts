/** What was typed, key by key. Pure, but for what waits for the rest of a sequence. */

/** Names of keys that are no letter: `up`, `enter`, `ctrl-c`; everything else stands for itself. */
export type Key = string

export interface KeyReader {
  /** The keys that are whole by now. */
  read(text: string): readonly Key[]
  /** Nothing more came: what waits is a key by itself. */
  flush(): readonly Key[]
  readonly isWaiting: boolean
}

/** A terminal sends ESC for itself and at the beginning of other keys; over a slow line the rest comes later. */
export const keyReader = (): KeyReader => {
  let waiting = ''
  return {
    get isWaiting() {
      return waiting !== ''
    },
    read(text) {
      const keys: Key[] = []
      let rest = waiting + text
      waiting = ''
      while (rest !== '') {
        const [sequence = ''] = whole.exec(rest) ?? []
        if (sequence === '') {
          waiting = rest
          break
        }
        const key = nameOf(sequence)
        if (key !== undefined) keys.push(key)
        rest = rest.slice(sequence.length)
      }
      return keys
    },
    flush() {
      const isEscape = waiting !== ''
      waiting = ''
      return isEscape ? ['escape'] : []
    },
  }
}

/** One key: a control sequence, a key of the application keypad, ESC twice, or a character that is not ESC. */
const whole = /^(?:\u001B\[[0-?]*[ -/]*[@-~]|\u001BO[@-~]|\u001B[^[O]|[^\u001B])/u

const names: Readonly<Record<string, Key>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\u0003': 'ctrl-c',
  '\u001A': 'ctrl-z',
  '\u000C': 'ctrl-l',
  '\u007F': 'backspace',
  '\b': 'backspace',
  '\u001B\u001B': 'escape',
  '\u001BOM': 'enter',
}

/** By the last letter of a sequence that begins with ESC [ or ESC O. */
const letters: Readonly<Record<string, Key>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
}
const numbers: Readonly<Record<string, Key>> = {
  1: 'home',
  4: 'end',
  5: 'page-up',
  6: 'page-down',
  7: 'home',
  8: 'end',
}

const nameOf = (sequence: string): Key | undefined => {
  const named = names[sequence]
  if (named !== undefined) return named
  if (!sequence.startsWith('\u001B')) return sequence >= ' ' ? sequence : undefined
  const number = /^\u001B\[(\d+)(?:;\d+)*~$/.exec(sequence)?.[1]
  if (number !== undefined) return numbers[number]
  return /^\u001B[[O]/.test(sequence) ? letters[sequence.at(-1) ?? ''] : undefined
}

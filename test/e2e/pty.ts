/** A program on a terminal of its own, made by `script` of util-linux, and what one would see there. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { until, type Sandbox } from './sysg.ts'

/** `script` is there. */
export const hasScript = spawnSync('script', ['--version']).status === 0

export class Pty {
  readonly child: ChildProcess
  readonly ended: Promise<number | null>
  readonly #ttyFile: string
  #raw = ''

  /** @param command - For `sh`. */
  constructor(sandbox: Sandbox, command: string, { columns = 100, rows = 14, env = {} } = {}) {
    this.#ttyFile = join(sandbox.folder, `tty-${Math.random()}`)
    const inside = `stty rows ${rows} cols ${columns}; tty > ${this.#ttyFile}; ${command}`
    this.child = spawn('script', ['-qec', inside, '/dev/null'], {
      cwd: sandbox.folder,
      env: { ...process.env, SYSG_HOME: sandbox.home, TERM: 'xterm', SHELL: '/bin/sh', NO_COLOR: undefined, ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#raw += text))
    this.ended = new Promise((resolve) => this.child.once('close', resolve))
  }

  /** Everything that was written. */
  get raw(): string {
    return this.#raw
  }

  type(text: string): void {
    this.child.stdin?.write(text)
  }

  resize(columns: number, rows: number): void {
    const tty = readFileSync(this.#ttyFile, 'utf8').trim()
    spawnSync('stty', ['-F', tty, 'rows', `${rows}`, 'cols', `${columns}`])
  }

  get screen(): Screen {
    return screenOf(this.#raw)
  }

  /** Look until the lines on the screen are as wanted. */
  async shows(isGood: (lines: string) => boolean): Promise<string> {
    return until(() => this.screen.lines.join('\n'), isGood, 20_000)
  }

  kill(): void {
    this.child.kill('SIGKILL')
  }
}

export interface Screen {
  /** Of the screen that is in front, without trailing spaces. */
  readonly lines: readonly string[]
  /** The other screen is in front. */
  readonly isOther: boolean
  readonly hasCursor: boolean
  readonly wraps: boolean
}

/** What a terminal would show: the control sequences that the live view uses, and nothing else silently. */
const screenOf = (text: string): Screen => {
  const screens: [string[], string[]] = [[''], ['']]
  const modes = new Map([
    ['1049', false],
    ['25', true],
    ['7', true],
  ])
  let [row, column] = [0, 0]
  const cells = () => screens[modes.get('1049') === true ? 1 : 0]
  const put = (character: string) => {
    const lines = cells()
    while (lines.length <= row) lines.push('')
    const line = (lines[row] ?? '').padEnd(column)
    lines[row] = line.slice(0, column) + character + line.slice(column + 1)
    column += 1
  }
  for (const [token, given = '', command = ''] of text.matchAll(/\u001B\[([?\d;]*)([A-Za-z])|[^]/gu)) {
    if (command === 'H')
      [row, column] = given === '' ? [0, 0] : (given.split(';').map((at) => Number(at) - 1) as [number, number])
    else if (command === 'K') cells()[row] = (cells()[row] ?? '').slice(0, column)
    else if (command === 'J') cells().length = 0
    else if (command === 'h' || command === 'l') {
      modes.set(given.slice(1), command === 'h')
      if (given === '?1049') [row, column] = [0, 0]
    } else if (token === '\n') row += 1
    else if (token === '\r') column = 0
    else if (command === '' && token >= ' ') put(token)
  }
  const is = (mode: string) => modes.get(mode) === true
  const lines = cells().map((line) => line.trimEnd())
  return { lines, isOther: is('1049'), hasCursor: is('25'), wraps: is('7') }
}

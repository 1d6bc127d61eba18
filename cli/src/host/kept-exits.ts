/**
 * How programs ended that nobody was looking at: one that others wait for runs below a shell that writes its exit code into
 * a file.
 *
 * A signal for the whole service reaches the shell, too. It outlives the program all the same: it traps whatever can be
 * trapped, which, unlike ignoring, what it starts does not inherit. It waits in the foreground: there a trap has no effect on
 * the wait, and the program gets SIGINT and SIGQUIT as they are, which a shell ignores for what runs in the background.
 */
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import type { Exit, Signal, SpawnSpec } from '@systemg/core'
import { isStartable } from './spawn-failure.ts'

/**
 * A process that the shell has just forked may lose a signal in the moment before it stops trapping. So a signal is written
 * down before it is sent, and read before the program begins: then it never does.
 *
 * The shell would write of what a signal ended (`Terminated`), so stderr is not its own. It is kept as stdin, the only
 * descriptor that is nobody else's. The program gets its stdin back.
 */
const script = `for sysg_signal in $1; do trap "echo $sysg_signal"' >>"$0.signals"' "$sysg_signal"; done
unset sysg_signal; shift; exec 0>&2 2>/dev/null
(read -r sysg_signal <"$0.signals" && exit "$((128 + sysg_signal))"; exec "$@" 2>&0 <>/dev/null)
code=$?; echo "$code" >"$0"; exit "$code"`

/** Nobody can trap the first two. The others do nothing to a shell. */
const untrapped: readonly string[] = ['SIGKILL', 'SIGSTOP', 'SIGCHLD', 'SIGCONT', 'SIGURG', 'SIGWINCH']

const numbers: Readonly<Partial<Record<string, number>>> = constants.signals

const trapped = Object.entries(constants.signals)
  .filter(([name]) => !untrapped.includes(name))
  .map(([, number]) => number)

/**
 * So many of those that were seen are kept all the same: a supervisor that dies before it has written down what it saw would
 * not know them else.
 */
const keptAfter = 32

export class KeptExits {
  readonly #folder: string
  readonly #kept = new Set<string>()
  /** Those that run below a shell of this process. */
  readonly #begun = new Set<string>()
  /** The latest last. */
  readonly #seen: string[] = []

  /** @param folder - Made when it is needed. */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** What to run so that its exit code is kept. What cannot be run is left as it is: then the kernel says why. */
  argvOf({ argv, cwd, env, token }: SpawnSpec): readonly [string, ...string[]] {
    if (!isStartable({ argv, cwd, env })) return argv
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    this.#kept.add(token)
    this.#begun.add(token)
    return ['/bin/sh', '-c', script, this.#pathOf(token), [...new Set(trapped)].join(' '), ...argv]
  }

  /** Whether a process with these arguments is the shell above a program. It may be that of an earlier version. */
  isShellOf(token: string, argv: readonly string[]): boolean {
    return argv[0] === '/bin/sh' && argv[1] === '-c' && argv[3] === this.#pathOf(token)
  }

  /** It is still of interest. */
  keep(token: string): void {
    this.#kept.add(token)
  }

  /** To be called before a signal is sent to it. */
  signalling(token: string, signal: Signal): void {
    const number = numbers[signal]
    if (!this.#begun.has(token) || number === undefined) return
    try {
      appendFileSync(this.#signalsOf(token), `${number}\n`)
    } catch {
      // A full disk: it matters only to one that has not begun, and that will most likely get the signal itself.
    }
  }

  /**
   * `undefined` when nothing was kept, or it has not ended. Shells tell a signal as 128 and its number; what can be one that
   * was sent is taken for it.
   */
  read(token: string): Exit | undefined {
    const [code] = numbersIn(this.#pathOf(token))
    if (code === undefined) return undefined
    const signal = numbersIn(this.#signalsOf(token)).includes(code - 128) ? signalOf(code - 128) : undefined
    return signal === undefined ? { code, signal: null } : { code: null, signal }
  }

  /** Somebody has seen it: it goes when enough others have been seen. */
  seen(token: string): void {
    this.#begun.delete(token)
    this.#seen.push(token)
    if (this.#seen.length > keptAfter) this.#forget(this.#seen.shift())
  }

  /** What is of interest to nobody goes. */
  sweep(): void {
    for (const name of names(this.#folder)) {
      if (!this.#kept.has(name.replace(/\..*$/, ''))) rmSync(join(this.#folder, name), { force: true })
    }
  }

  #forget(token: string | undefined): void {
    if (token === undefined || !this.#kept.delete(token)) return
    for (const path of [this.#pathOf(token), this.#signalsOf(token)]) rmSync(path, { force: true })
  }

  #pathOf(token: string): string {
    return join(this.#folder, token)
  }

  #signalsOf(token: string): string {
    return `${this.#pathOf(token)}.signals`
  }
}

const signalOf = (number: number): Signal | undefined =>
  Object.entries(constants.signals).find(([, one]) => one === number)?.[0] as Signal | undefined

/** One a line. */
const numbersIn = (path: string): readonly number[] => {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => /^\d+$/.test(line))
      .map(Number)
  } catch {
    return []
  }
}

const names = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

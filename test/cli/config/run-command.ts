/** Runs a command in this process, with a terminal that keeps what is written. */
import type { Command, GlobalOptions, Typed } from '../../../cli/src/command.ts'
import { exitCodeOf } from '../../../cli/src/exit-codes.ts'
import { isCoded } from '../../../cli/src/failures.ts'
import type { Terminal } from '../../../cli/src/terminal/terminal.ts'

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface RunOptions {
  readonly cwd: string
  readonly values?: Typed['values']
  readonly positionals?: readonly string[]
  readonly globals?: Partial<GlobalOptions>
  readonly env?: Readonly<Record<string, string>>
  readonly columns?: number
}

/** A failure that the command throws becomes its exit code, as in `main`; its code is the last line of `err`. */
export const runCommand = async (command: Command, options: RunOptions): Promise<Ran> => {
  const written = { out: '', err: '' }
  const terminal: Terminal = {
    out: (text) => void (written.out += typeof text === 'string' ? text : Buffer.from(text).toString()),
    drained: () => Promise.resolve(),
    err: (text) => void (written.err += text),
    columns: options.columns ?? 80,
    isInteractive: false,
    canDraw: false,
    canAsk: false,
    paint: (_style, text) => text,
    paintErr: (_style, text) => text,
  }
  const globals: GlobalOptions = {
    ...{ config: undefined, project: undefined, sys: false, dropPrivileges: false, logLevel: 'info', json: false },
    ...options.globals,
  }
  const typed: Typed = { values: options.values ?? {}, positionals: options.positionals ?? [], rest: undefined }
  try {
    const code = await command.run({ typed, globals, terminal, env: options.env ?? {}, cwd: options.cwd })
    return { code, ...written }
  } catch (thrown) {
    if (!isCoded(thrown)) throw thrown
    return { code: exitCodeOf(thrown.code), out: written.out, err: `${written.err}${thrown.message}\n${thrown.code}` }
  }
}

/** Shows the problems of a config: to people on stderr, or as the JSON of `validate --json`. */
import { relative } from 'node:path'
import { formatProblem, type Problem } from '@systemg/core'
import type { CommandContext } from '../command.ts'
import type { LoadedConfig } from './load-config.ts'

type Reported = Pick<LoadedConfig, 'file' | 'problems' | 'sources'>

/** Every problem with its line and marker, and how many there are. Nothing when there are none. */
export const reportProblems = ({ terminal, cwd }: Pick<CommandContext, 'terminal' | 'cwd'>, loaded: Reported): void => {
  const { problems, sources, file } = loaded
  if (problems.length === 0) return
  const color = terminal.paintErr('bold', '.') !== '.'
  const width = Math.max(40, terminal.columns - 12)
  for (const problem of problems) {
    terminal.err(`${formatProblem(problem, sources.get(problem.file), { color, folder: cwd, width })}\n\n`)
  }
  const hasErrors = problems.some(({ severity }) => severity === 'error')
  const style = hasErrors ? (['bold', 'red'] as const) : (['bold', 'yellow'] as const)
  terminal.err(`${terminal.paintErr([...style], countProblems(problems))} in ${shownPath(cwd, file)}\n`)
}

/** `5 mistakes, 1 warning`. */
const countProblems = (problems: readonly Problem[]): string => {
  const count = (severity: Problem['severity'], word: string): readonly string[] => {
    const { length } = problems.filter((problem) => problem.severity === severity)
    return length === 0 ? [] : [`${length} ${word}${length === 1 ? '' : 's'}`]
  }
  return [...count('error', 'mistake'), ...count('warning', 'warning')].join(', ')
}

/** A path as people would type it: relative when it is below their folder. */
export const shownPath = (cwd: string, file: string): string => {
  const path = relative(cwd, file)
  return path.startsWith('..') ? file : path
}

/** The shape of `validate --json`. `path` is a list, because names may hold dots. */
export interface ProblemsJson {
  readonly valid: boolean
  readonly problems: readonly Omit<Problem, 'endColumn'>[]
}

export const problemsJson = (problems: readonly Problem[]): ProblemsJson => ({
  valid: !problems.some(({ severity }) => severity === 'error'),
  problems: problems.map(({ code, message, hint, path, file, line, column, severity }) => ({
    code,
    message,
    hint,
    path,
    file,
    line,
    column,
    severity,
  })),
})

/** Patterns that people search log lines with. Pure. */
import { isExplosivePattern, SysgError } from '@systemg/core'
import { displayTextOf, type LogLine } from './lines.ts'

/** What one search may spend inside of the pattern before it counts as too slow for the supervisor. */
const patienceMs = 2_000

/**
 * Whether a line fits the pattern.
 *
 * The supervisor serves everybody, so it refuses what can take exponential time (a repeated group that repeats inside)
 * and gives up on what turns out slow.
 *
 * @param now - Steady milliseconds.
 * @throws {SysgError} `SYSG_LOGS_PATTERN`.
 */
export const compilePattern = (source: string, now: () => number): ((line: LogLine) => boolean) => {
  if (isExplosivePattern(source)) throw refused(source, 'a repeated group repeats inside, which can take forever')
  const expression = compile(source)
  let spentMs = 0
  return (line) => {
    const startMs = now()
    const isMatch = expression.test(displayTextOf(line.bytes))
    spentMs += now() - startMs
    if (spentMs > patienceMs) throw refused(source, 'it is too slow on these lines')
    return isMatch
  }
}

const compile = (source: string): RegExp => {
  try {
    return new RegExp(source, 'u')
  } catch {
    // Some patterns of everyday life (`\-`, a lone `{`) are only valid without the flag.
  }
  try {
    return new RegExp(source)
  } catch (thrown) {
    throw refused(source, thrown instanceof Error ? thrown.message : String(thrown))
  }
}

const refused = (source: string, why: string): SysgError =>
  SysgError.of('SYSG_LOGS_PATTERN', {
    message: `The pattern \`${source}\` cannot be used: ${why}.`,
    hint: 'Use a simpler pattern, or `sysg logs … | grep -E …`.',
  })

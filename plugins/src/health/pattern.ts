/** Text that something must hold: as it is, or `/a regular expression/`. */
import { isExplosivePattern } from '@systemg/core'

/** Flags are letters that are flags somewhere, so that a path such as `/usr/bin` is none. */
const form = /^\/(.+)\/([dgimsuvy]*)$/s

/** Why it is no pattern that the supervisor can use; `undefined` when it is one. */
export const mistakeInPattern = (text: string): string | undefined => {
  const [, source, flags = ''] = form.exec(text) ?? []
  if (source === undefined) return undefined
  if (!/^[ims]*$/.test(flags)) return 'takes the flags `i`, `m` and `s` behind the last slash'
  if (isExplosivePattern(source)) return 'has a repeated group that repeats inside, which can take forever'
  try {
    compile(source, flags)
    return undefined
  } catch (thrown) {
    return `is no regular expression: ${thrown instanceof Error ? thrown.message : String(thrown)}`
  }
}

/** Some patterns of everyday life (`\-`, a lone `{`) are only valid without the flag for Unicode. */
const compile = (source: string, flags: string): RegExp => {
  try {
    return new RegExp(source, `${flags}u`)
  } catch {
    return new RegExp(source, flags)
  }
}

/** Whether a text holds it. */
export const matcherOf = (text: string): ((of: string) => boolean) => {
  const [, source, flags = ''] = form.exec(text) ?? []
  if (source === undefined) return (of) => of.includes(text)
  const expression = compile(source, flags)
  return (of) => expression.test(of)
}

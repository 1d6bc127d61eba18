/** Regular expressions that users write, which the supervisor must be able to bear. */

/**
 * A repeated group that repeats inside, which can take forever on some texts: `(a+)+`, `(a*|b)*`, `(x{2,})+`.
 *
 * @param source - Without slashes and flags.
 */
export const isExplosivePattern = (source: string): boolean => {
  const plain = source.replace(/\\./g, 'x').replace(/\[[^\]]*\]/g, 'x')
  const repeatsInside: boolean[] = [false]
  for (let at = 0; at < plain.length; at++) {
    const isRepeated = /^(?:[*+]|\{\d+,\})/.test(plain.slice(at + 1, at + 12))
    if (plain[at] === '(') repeatsInside.push(false)
    else if (plain[at] === ')') {
      const inside = repeatsInside.pop() === true
      if (inside && isRepeated) return true
      const outer = repeatsInside.length - 1
      repeatsInside[outer] = repeatsInside[outer] === true || inside || isRepeated
    } else if (isRepeated) repeatsInside[repeatsInside.length - 1] = true
  }
  return false
}

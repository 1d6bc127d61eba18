/** What `stdout.ids` holds: where an instance began to write, and where a line ends without a newline. Pure. */

/** From `offset` on, the bytes are of `instance`, and a line begins. */
export interface Mark {
  readonly offset: number
  readonly instance: string
}

export const formatMark = ({ offset, instance }: Mark): string => `${offset} ${instance}\n`

/** Sorted as written. Damaged lines are left out. */
export const parseMarks = (text: string): readonly Mark[] => {
  const marks: Mark[] = []
  for (const [, offset, instance = ''] of text.matchAll(/^(\d+) (.*)$/gm)) {
    if (Number(offset) >= (marks.at(-1)?.offset ?? 0)) marks.push({ offset: Number(offset), instance })
  }
  return marks
}

/** Where a log file ends and the next one begins. Pure. */
import { longestLine, newline } from './lines.ts'

/**
 * How many bytes of `chunk` still go into the present file. Files end with whole lines where that is possible: a line
 * that has begun may exceed the limit by up to 64 KiB (but not by more than the limit itself), then it is split.
 *
 * @param file.size - Bytes in the file.
 * @param file.isLineStart - Whether a line begins at its end.
 */
export const bytesThatFit = (
  chunk: Uint8Array,
  file: { readonly size: number; readonly isLineStart: boolean; readonly maxBytes: number },
): number => {
  const room = file.maxBytes - file.size
  if (chunk.length <= room) return chunk.length
  const lastEnd = room > 0 ? chunk.lastIndexOf(newline, room - 1) + 1 : 0
  if (lastEnd > 0) return lastEnd
  if (file.isLineStart && file.size > 0) return 0
  const firstEnd = chunk.indexOf(newline) + 1
  const slack = Math.min(file.maxBytes, longestLine)
  return Math.max(0, Math.min(firstEnd > 0 ? firstEnd : chunk.length, room + slack))
}

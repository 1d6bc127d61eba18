/** A place in a stream as text, for those who go on reading later. Pure. */
import type { Position } from './stream-log.ts'

export const cursorOf = ({ generation, offset }: Position): string => `${generation}:${offset}`

/** `undefined` for what is no cursor. */
export const positionOf = (cursor: string | undefined): Position | undefined => {
  const [, generation, offset] = /^(-?\d+):(\d+)$/.exec(cursor ?? '') ?? []
  return generation === undefined ? undefined : { generation: Number(generation), offset: Number(offset) }
}

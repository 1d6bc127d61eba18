/** When a deploy had both the old instance and the new one running, as the events tell. */
import type { SysgEvent } from '@systemg/core'

/** Spans of wall time, ms: from the start of a candidate until an instance of its service has exited. */
export const overlaps = (events: readonly SysgEvent[], service: string): readonly (readonly [number, number])[] => {
  const spans: (readonly [number, number])[] = []
  let begunMs: number | undefined
  for (const event of events) {
    if (event.service !== service) continue
    if (event.type === 'instance.started' && event.data['role'] === 'candidate') begunMs = Date.parse(event.time)
    if (event.type === 'service.exited' && begunMs !== undefined) {
      spans.push([begunMs, Date.parse(event.time)])
      begunMs = undefined
    }
  }
  return spans
}

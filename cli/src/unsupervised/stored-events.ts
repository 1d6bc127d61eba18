/** Events read from `history.db` itself, without a supervisor. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { DurableLog, SysgEvent } from '@systemg/core'
import type { ProjectPaths } from '../project/state-root.ts'
import { withStore } from './recorded-services.ts'

/**
 * In order, all that are kept since a moment; `undefined` when the project never ran.
 *
 * @param sinceMs - Wall clock, ms.
 * @throws {SysgError} `SYSG_STATE_NEWER`, `SYSG_STATE_UNREADABLE`.
 */
export const storedEvents = (
  { folder }: ProjectPaths,
  sinceMs: number | undefined,
): readonly SysgEvent[] | undefined => {
  if (!existsSync(join(folder, 'history.db'))) return undefined
  return withStore(folder, (store) =>
    store
      .log('events')
      .read(sinceMs === undefined ? {} : { sinceMs })
      .flatMap(({ value }) => asEvent(value) ?? []),
  )
}

/** What events had told up to some of them, in order, unchecked. */
export const storedCheckpoints = ({ folder }: ProjectPaths): ReturnType<DurableLog['read']> =>
  existsSync(join(folder, 'history.db')) ? withStore(folder, (store) => store.log('checkpoints').read({})) : []

/** A record that is damaged is left out. */
const asEvent = (value: unknown): SysgEvent | undefined => {
  if (typeof value !== 'object' || value === null) return undefined
  const { seq, time, type, data } = value as Partial<SysgEvent>
  const isWhole = typeof seq === 'number' && typeof time === 'string' && typeof type === 'string'
  return isWhole && typeof data === 'object' ? (value as SysgEvent) : undefined
}

/** A child that is named after its end: the supervisor has forgotten it, events tell of it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describeExit, hostOf, SysgError, type SysgEvent } from '@systemg/core'
import type {} from '@systemg/plugins/children'
import type { ProjectPaths } from '../project/state-root.ts'
import { formatAge } from '../terminal/age.ts'
import { storedEvents } from './stored-events.ts'

/**
 * @param unknown - An error with the code `SYSG_SERVICE_UNKNOWN`.
 * @param names - What was asked for.
 * @returns an error of the same code that says how the child ended and where more is to be read; `undefined` when no event
 *   tells of its end.
 */
export const endedChild = (
  unknown: Error & { readonly code: string },
  names: readonly string[],
  paths: ProjectPaths,
  nowMs: number,
): SysgError | undefined => {
  const name = names.find((one) => unknown.message.includes(`\`${one}\``))
  const host = name === undefined ? undefined : hostOf(name)
  if (name === undefined || host === undefined) return undefined
  const end = (storedEvents(paths, undefined) ?? []).findLast((event) => isEndOf(event, name))
  if (end === undefined) return undefined
  const { exit, reason } = end.data
  const how = [describeExit(exit), ...(reason === null ? [] : [reason])].join(', ')
  const logs = existsSync(join(paths.logs, name)) ? `, \`sysg logs ${name}\` shows what it wrote` : ''
  return SysgError.of(unknown.code, {
    message: `\`${name}\` has ended ${formatAge(nowMs - Date.parse(end.time))} ago: ${how}.`,
    hint: `\`sysg events ${host}\` tells of it${logs}; \`sysg status ${host}\` shows what runs.`,
  })
}

const isEndOf = (event: SysgEvent, name: string): event is SysgEvent<'spawn.exited'> =>
  event.type === 'spawn.exited' && (event as SysgEvent<'spawn.exited'>).data.service === name

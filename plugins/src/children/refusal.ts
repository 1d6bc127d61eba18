/** Why a child is not started: what the parent is told, and what the event `spawn.rejected` says. */
import { formatSize, SysgError } from '@systemg/core'

/** One limit that does not allow a child. */
export interface Exceeded {
  readonly limit: 'depth' | 'children' | 'descendants' | 'total_memory' | 'rate'
  readonly value: number
  /** How many, how deep, how much it is now. */
  readonly count: number
}

/** @param parent - Of whom the count is: the parent, or the service as a whole. */
export const overLimit = (child: string, parent: string, { limit, value, count }: Exceeded): SysgError =>
  SysgError.of('SYSG_SPAWN_LIMIT', {
    message: `\`${child}\` was not started: the limit \`${limit}\` is ${sentences[limit](value, count, parent)}.`,
    hint: hints[limit],
  })

const sentences: Record<Exceeded['limit'], (value: number, count: number, parent: string) => string> = {
  depth: (value, count, parent) => `${value}, and a child of \`${parent}\` would be at depth ${count}`,
  children: (value, count, parent) => `${value}, and \`${parent}\` has ${count} now`,
  descendants: (value, count, parent) => `${value}, and ${count} live below \`${parent}\` now`,
  total_memory: (value, count, parent) =>
    `${formatSize(value)}, and \`${parent}\` and what it has started use ${formatSize(count)} now`,
  rate: (value, count, parent) => `${value} per second, and \`${parent}\` has just started ${count}`,
}

const hints: Record<Exceeded['limit'], string> = {
  depth: 'Start it from further up, or raise `spawn.limits.depth`.',
  children: 'Try again when some have ended, or raise `spawn.limits.children`.',
  descendants: 'Try again when some have ended, or raise `spawn.limits.descendants`.',
  total_memory: 'Try again when some have ended, or raise `spawn.limits.total_memory`.',
  rate: 'Try again in a moment, or raise `spawn.limits.rate`.',
}

export const unknownToken = (): SysgError =>
  SysgError.of('SYSG_SPAWN_TOKEN', {
    message: 'The `SYSG_TOKEN` of this environment belongs to no instance that runs.',
    hint: 'Only a program that a service has started can spawn, as long as that run of the service lasts.',
  })

export const parentEnding = (parent: string): SysgError =>
  SysgError.of('SYSG_SPAWN_PARENT_ENDING', {
    message: `\`${parent}\` is ending: nothing more is started for it.`,
    hint: 'Start what has to go on elsewhere, or earlier.',
  })

export const notDynamic = (service: string): SysgError =>
  SysgError.of('SYSG_SPAWN_NOT_ALLOWED', {
    message: `Programs of \`${service}\` may not start children.`,
    hint: `Allow it in its config: \`spawn: { mode: dynamic }\`, then \`sysg start\`.`,
  })

export const badName = (name: string): SysgError =>
  SysgError.of('SYSG_SPAWN_NAME', {
    message: `\`${name}\` is no name for a child.`,
    hint: 'Letters, digits, `_`, `.` and `-`, a letter or digit first, at most 63.',
  })

export const nameTaken = (name: string, parent: string, pid: number | undefined): SysgError =>
  SysgError.of('SYSG_SPAWN_NAME_TAKEN', {
    message: `\`${parent}\` has a child \`${name}\` already${pid === undefined ? '' : `, pid ${pid}`}.`,
    hint: 'Choose another name, or wait until that one has ended.',
  })

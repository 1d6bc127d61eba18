/** Whether the limits allow one more child. */
import type { InstanceInfo } from '@systemg/core'
import type { Family } from './family.ts'
import type { SpawnLimits } from './options.ts'
import type { Exceeded } from './refusal.ts'

/** The first limit that does not allow it, and of whom its count is. */
export const exceeded = (
  family: Family,
  parent: InstanceInfo,
  limits: SpawnLimits,
  memoryBytes: number | undefined,
): (Exceeded & { readonly of: string }) | undefined => {
  const line = family.lineOf(parent)
  const root = line.at(-1) ?? parent
  const mine = family.nameOf(parent)
  const service = family.nameOf(root)
  const { total_memory: totalMemory = Number.POSITIVE_INFINITY } = limits
  const checks: readonly (Exceeded & { readonly of: string; readonly isOver: boolean })[] = [
    over('depth', limits.depth, line.length, mine, line.length > limits.depth),
    ...counted('children', limits.children, family.childrenOf(parent.id).length, mine),
    ...counted('descendants', limits.descendants, family.descendantsOf(root.id).length, service),
    ...(memoryBytes === undefined ? [] : counted('total_memory', totalMemory, memoryBytes, service)),
  ]
  return checks.find(({ isOver }) => isOver)
}

const counted = (limit: Exceeded['limit'], value: number, count: number, of: string) => [
  over(limit, value, count, of, count >= value),
]

const over = (limit: Exceeded['limit'], value: number, count: number, of: string, isOver: boolean) => ({
  ...{ limit, value, count, of, isOver },
})

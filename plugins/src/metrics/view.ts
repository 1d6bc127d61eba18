/** CPU and memory in `status`: of a service, and of each of its instances. */
import type { InstanceView, ServiceView } from '@systemg/core'
import type { Meter } from './meter.ts'

/** @param meterOf - By the instance's id. */
export const withUsage = (view: ServiceView, meterOf: (instance: string) => Meter | undefined): ServiceView => {
  const instances = view.instances.map((instance) => instanceWithUsage(instance, meterOf(instance.id)))
  return {
    ...view,
    cpu_percent: total(instances.map(({ cpu_percent: percent }) => percent)),
    memory_bytes: total(instances.map(({ memory_bytes: bytes }) => bytes)),
    instances,
  }
}

const instanceWithUsage = (instance: InstanceView, meter: Meter | undefined): InstanceView => ({
  ...instance,
  cpu_percent: meter?.cpuPercent === undefined ? null : rounded(meter.cpuPercent),
  memory_bytes: meter?.memoryBytes ?? null,
})

/** Of what is known; null when nothing is. */
const total = (values: readonly (number | null | undefined)[]): number | null => {
  const known = values.filter((value) => value !== null && value !== undefined)
  return known.length === 0 ? null : rounded(known.reduce((sum, value) => sum + value, 0))
}

const rounded = (value: number): number => Math.round(value * 10) / 10

/**
 * Where the files of a stream are, and which streams there are.
 *
 *   <folder>/<service>/<replica>/stdout.log      the bytes that the program wrote
 *                                stdout.idx      when they came (see `time-index.ts`)
 *                                stdout.ids      which instance wrote them, and where a line ends without a newline
 *                                stdout.log.1    … and so on: rotated, the highest number is the oldest
 *   <folder>/<service>/<replica>.1/…             of an instance that runs beside another one of the same replica
 *   <folder>/supervisor.log                      the supervisor's own
 */
import { HostError, hostOf, type Files } from '@systemg/core'

export type StreamName = 'stdout' | 'stderr'

/** One stream of one replica, with all its files. */
export interface LogSource {
  readonly service: string
  readonly stream: StreamName
  /** Path of its files without the suffix. */
  readonly base: string
}

export const logPath = (base: string, age: number): string => `${base}.log${suffix(age)}`
export const indexPath = (base: string, age: number): string => `${base}.idx${suffix(age)}`
export const instancesPath = (base: string, age: number): string => `${base}.ids${suffix(age)}`

/** @param lane - 0, or higher for an instance beside another one. */
export const laneName = (replica: number, lane: number): string => (lane === 0 ? `${replica}` : `${replica}.${lane}`)

export const supervisorSource = (folder: string): LogSource => ({
  service: 'supervisor',
  stream: 'stderr',
  base: `${folder}/supervisor`,
})

/** Whether output of `service` belongs to what is asked for: one of `names`, or something that a program of it has started. */
export const isAskedFor = (service: string, names: readonly string[] | undefined): boolean =>
  names === undefined || names.includes(service) || names.includes(hostOf(service) ?? service)

/** Every stream that has files, sorted. */
export const listSources = async (files: Files, folder: string): Promise<readonly LogSource[]> => {
  const sources: LogSource[] = []
  for (const service of await namesIn(files, folder)) {
    for (const lane of await namesIn(files, `${folder}/${service}`)) {
      const names = await namesIn(files, `${folder}/${service}/${lane}`)
      for (const stem of new Set(names.map(stemOf))) {
        const stream = stem?.split('.').at(-1)
        if (stream !== 'stdout' && stream !== 'stderr') continue
        sources.push({ service, stream, base: `${folder}/${service}/${lane}/${stem ?? stream}` })
      }
    }
  }
  return sources
}

const suffix = (age: number): string => (age === 0 ? '' : `.${age}`)

const stemOf = (name: string): string | undefined => /^(.+)\.log(?:\.\d+)?$/.exec(name)?.[1]

/** Things that are no folders have no names in them. */
export const namesIn = async (files: Files, path: string): Promise<readonly string[]> => {
  try {
    return await files.list(path)
  } catch (thrown) {
    if (thrown instanceof HostError) return []
    throw thrown
  }
}

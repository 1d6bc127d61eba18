/** The key `logs` of the system and of a service, and the options of the plugin itself. */
import { size } from '@systemg/core'
import { z } from 'zod'

const sink = z
  .enum(['file', 'none', 'inherit'])
  .describe('Where output goes: into files, nowhere, or where that of the supervisor goes.')

const maxBytes = size
  .refine((bytes) => bytes >= 1024, 'A log file holds at least 1K')
  .describe('A file that would grow beyond this is rotated.')

const maxFiles = z.int().min(1).max(1000).describe('Files kept of each stream, the one being written included.')

/** Defaults for every service. */
export const systemLogs = z
  .strictObject({
    sink: sink.default('file'),
    max_bytes: maxBytes.prefault('10M'),
    max_files: maxFiles.default(5),
  })
  .prefault({})
  .describe('Where the output of services goes, and how much of it is kept.')

/** What a service has otherwise than the system. */
export const serviceLogs = z
  .strictObject({ sink: sink.optional(), max_bytes: maxBytes.optional(), max_files: maxFiles.optional() })
  .prefault({})
  .describe('Where the output goes, and how much of it is kept. Default: `logs` of the system.')

/** Options of the plugin, given by whoever builds the system. */
export const logsOptions = z
  .strictObject({
    folder: z.string().default('logs').describe('Where log files are.'),
    pipes: z.string().default('run/output').describe('Where the named pipes are that services write to.'),
  })
  .prefault({})

export type LogsOptions = z.output<typeof logsOptions>

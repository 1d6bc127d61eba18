/** The key `logs` of the system and of a service, and the options of the plugin itself. */
import { size } from '@systemg/core'
import { z } from 'zod'
import { logsDefaults } from './defaults.ts'

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
export const options = z
  .strictObject({
    folder: z.string().default(logsDefaults.folder).describe('Where log files are.'),
    pipes: z.string().default(logsDefaults.pipes).describe('Where the named pipes are that services write to.'),
  })
  .prefault({})

export const system = { logs: systemLogs }
export const service = { logs: serviceLogs }

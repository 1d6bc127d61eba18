/** Options of the `control` plugin, given by whoever builds the system. */
import { z } from 'zod'
import { controlDefaults } from './defaults.ts'

const count = z.int().min(1)

export const options = z
  .strictObject({
    socket: z.string().default(controlDefaults.socket).describe('Path of the unix socket.'),
    pid: z
      .number()
      .nullable()
      .default(null)
      .describe('Of the supervisor, for `ping` and `status`. The host does not know it.'),
    version: z.string().default(controlDefaults.version).describe('Of systemg.'),
    config: z.string().nullable().default(null).describe('Path of the config file.'),
    connections: count.default(controlDefaults.connections).describe('Connections at once.'),
    requests: count.default(controlDefaults.requests).describe('Requests of one connection that run at once.'),
    waiting_length: count
      .default(controlDefaults.waiting_length)
      .describe('UTF-16 units (about bytes) that may wait for a slow reader.'),
    frame_bytes: count
      .default(controlDefaults.frame_bytes)
      .describe('The longest request. `apply` sends a whole config: a few thousand services fit.'),
    frame_ms: count.default(controlDefaults.frame_ms).describe('How long a request may take to arrive, milliseconds.'),
    mistakes: count
      .default(controlDefaults.mistakes)
      .describe('Frames in a row that are no requests before a connection is closed.'),
    goodbye_ms: count
      .default(controlDefaults.goodbye_ms)
      .describe('How long a client may take to read the last words, milliseconds.'),
  })
  .prefault({})

export interface ControlOptions {
  readonly socket: string
  readonly pid: number | null
  readonly version: string
  readonly config: string | null
  readonly connections: number
  readonly requests: number
  readonly waiting_length: number
  readonly frame_bytes: number
  readonly frame_ms: number
  readonly mistakes: number
  readonly goodbye_ms: number
}

/** Options of the `control` plugin, given by whoever builds the system. */
import { z } from 'zod'

const count = z.int().min(1)

export const controlOptions = z
  .strictObject({
    socket: z.string().default('run/control.sock').describe('Path of the unix socket.'),
    pid: z
      .number()
      .nullable()
      .default(null)
      .describe('Of the supervisor, for `ping` and `status`. The host does not know it.'),
    version: z.string().default('0.0.0').describe('Of systemg.'),
    config: z.string().nullable().default(null).describe('Path of the config file.'),
    connections: count.default(64).describe('Connections at once.'),
    requests: count.default(32).describe('Requests of one connection that run at once.'),
    waiting_length: count
      .default(4 * 1024 * 1024)
      .describe('UTF-16 units (about bytes) that may wait for a slow reader.'),
    frame_bytes: count
      .default(16 * 1024 * 1024)
      .describe('The longest request. `apply` sends a whole config: a few thousand services fit.'),
    frame_ms: count.default(30_000).describe('How long a request may take to arrive, milliseconds.'),
    mistakes: count.default(16).describe('Frames in a row that are no requests before a connection is closed.'),
    goodbye_ms: count.default(1_000).describe('How long a client may take to read the last words, milliseconds.'),
  })
  .prefault({})

export type ControlOptions = z.output<typeof controlOptions>

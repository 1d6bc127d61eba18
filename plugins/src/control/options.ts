/** Options of the `control` plugin, given by whoever builds the system. */
import { z } from 'zod'

const count = z.int().min(1)

export const controlOptions = z
  .strictObject({
    /** Path of the unix socket. */
    socket: z.string().default('run/control.sock'),
    /** Of the supervisor, for `ping` and `status`. The host does not know it. */
    pid: z.number().nullable().default(null),
    /** Of systemg. */
    version: z.string().default('0.0.0'),
    /** Path of the config file. */
    config: z.string().nullable().default(null),
    connections: count.default(64),
    /** Requests of one connection that run at once. */
    requests: count.default(32),
    /** UTF-16 units (about bytes) that may wait for a slow reader. */
    waiting_length: count.default(4 * 1024 * 1024),
    /** The longest request. `apply` sends a whole config: a few thousand services fit. */
    frame_bytes: count.default(16 * 1024 * 1024),
    /** How long a request may take to arrive, milliseconds. */
    frame_ms: count.default(30_000),
    /** Frames in a row that are no requests before a connection is closed. */
    mistakes: count.default(16),
    /** How long a client may take to read the last words, milliseconds. */
    goodbye_ms: count.default(1_000),
  })
  .prefault({})

export type ControlOptions = z.output<typeof controlOptions>

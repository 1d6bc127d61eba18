/** What the `control` plugin is without options. */
import type { ControlOptions } from './options.ts'

export const controlDefaults: ControlOptions = {
  socket: 'run/control.sock',
  pid: null,
  version: '0.0.0',
  config: null,
  connections: 64,
  requests: 32,
  waiting_length: 4 * 1024 * 1024,
  frame_bytes: 16 * 1024 * 1024,
  frame_ms: 30_000,
  mistakes: 16,
  goodbye_ms: 1_000,
}

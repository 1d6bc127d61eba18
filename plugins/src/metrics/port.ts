/** How metrics are served over HTTP: done by `node.ts`, or by a test. */
import type { Address } from './settings.ts'

export interface OpenServer {
  close(): Promise<void>
}

/** Rejects with the reason when it cannot listen there; `code` is the errno. */
export type ServeMetrics = (
  at: Address,
  answer: (signal: AbortSignal) => Promise<{ readonly type: string; readonly body: string }>,
) => Promise<OpenServer>

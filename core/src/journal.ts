/** What must survive the supervisor: written through the `journal` hook, read back through `boot`. Plain JSON. */
import type { ResolvedService } from './config/types.ts'
import type { Exit, TreeRef } from './host.ts'
import type { Transient } from './instance-info.ts'

/** What a person last asked of a service by name. */
export interface IntentRecord {
  readonly intent: 'up' | 'stopped'
  /** Set by `scale`, until a config changes `replicas`. */
  readonly replicas?: number
  /** `replicas` of the config at the moment of `scale`. */
  readonly scaledFrom?: number
}

/** An instance, recorded before its first instruction can matter. */
export interface InstanceRecord {
  readonly id: string
  readonly service: ResolvedService
  readonly replica: number
  readonly role: 'active' | 'candidate' | 'retired'
  readonly token: string
  /** Missing until the process exists. */
  readonly tree?: TreeRef
  /** Wall clock, ms. */
  readonly startedAt?: number
  readonly wasReady: boolean
  /** Restarts in a row of its replica. */
  readonly restarts: number
  /** What plugins told it about itself: `SYSG_…` of its environment (a slot, for example). */
  readonly marks?: Readonly<Record<string, string>>
  /** Of one whose service is in no config and is forgotten with it. */
  readonly transient?: Transient
}

/**
 * How a replica came to rest by itself: kept so that a new supervisor neither runs a one-shot again nor forgets a failure, nor
 * begins to count anew what crashes again and again.
 */
export interface OutcomeRecord {
  readonly service: string
  readonly replica: number
  readonly outcome: 'completed' | 'failed' | 'backoff'
  /** Of one in `backoff`: when it is due (wall clock, ms), what it waits altogether, restarts in a row with that. */
  readonly retry?: { readonly at: number; readonly delayMs: number; readonly restarts: number }
  /** The config it ran with. Another config starts it anew. */
  readonly config: ResolvedService
  readonly instance: string
  /** Missing when no process of it ever ran. */
  readonly exit?: Exit
  /** Why it could not be started, or did not become ready. */
  readonly failure?: { readonly code: string; readonly message: string; readonly hint?: string }
  /** Wall clock, ms. */
  readonly at: number
  readonly lastLines: readonly string[]
  /** Why it gave up, in words. */
  readonly why: string | null
}

export type JournalEntry =
  | {
      readonly kind: 'ad-hoc'
      readonly service: string
      /** Missing: it was stopped, or the config has the name. */
      readonly record: ResolvedService | undefined
    }
  | { readonly kind: 'intent'; readonly service: string; readonly record: IntentRecord | undefined }
  | {
      readonly kind: 'outcome'
      readonly service: string
      readonly replica: number
      /** Missing: it runs again, or the system was stopped. */
      readonly record: OutcomeRecord | undefined
      /** It only waits for its next try, or did: not worth waiting for the disk. */
      readonly isPassing?: boolean
    }
  /** Everything is to end, or has. */
  | { readonly kind: 'ending'; readonly isEnding: boolean }
  | { readonly kind: 'instances'; readonly changed: readonly InstanceRecord[]; readonly ended: readonly string[] }

/** What an earlier supervisor left behind. */
export interface BootState {
  /** The highest event number ever used. */
  readonly lastSeq: number
  readonly intents: Readonly<Record<string, IntentRecord>>
  readonly instances: readonly InstanceRecord[]
  readonly outcomes: readonly OutcomeRecord[]
  /** Services that are in no config. */
  readonly adHoc: readonly ResolvedService[]
  /** Somebody had asked for the end of everything, and it had not come. */
  readonly isEnding?: boolean
}

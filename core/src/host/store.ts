/** What the supervisor remembers. */

/** A value that survives the supervisor. Must be JSON. */
export type Durable = null | boolean | number | string | readonly Durable[] | { readonly [key: string]: Durable }

/** Small durable values by key. A write is on disk when the call returns. */
export interface DurableTable {
  get(key: string): Durable | undefined
  set(key: string, value: Durable): void
  delete(key: string): void
  entries(): readonly (readonly [key: string, value: Durable])[]
}

/** A growing, bounded list of records, numbered by the one who appends. Written in batches. */
export interface DurableLog {
  /** Remember a record; it reaches the disk soon (at most 100 ms later), or at `flush`. */
  append(seq: number, timeMs: number, value: Durable): void
  flush(): void
  /** Records with `after < seq`, in order. `limit` keeps the newest of them, `first` the oldest. */
  read(options: {
    after?: number
    sinceMs?: number
    limit?: number
    first?: number
  }): readonly { seq: number; timeMs: number; value: Durable }[]
  /** The highest number ever appended; 0 when empty. */
  last(): number
  /** Forget all but the newest `keep` records. */
  trim(keep: number): void
  /** Forget one record, at once; `last` stays. */
  remove(seq: number): void
}

/** What the supervisor remembers over its own death. */
export interface Store {
  table(name: string): DurableTable
  log(name: string): DurableLog
  /**
   * Run several writes as one: all of them, or none.
   *
   * @param options.survives - What they must survive when this returns. `power-cut` (default) waits for the disk;
   * `crash` (of the supervisor) does not, for what a new boot makes worthless anyway.
   */
  transaction(body: () => void, options?: { readonly survives?: 'power-cut' | 'crash' }): void
  close(): void
}

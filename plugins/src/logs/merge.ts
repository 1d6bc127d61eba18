/** Merges sorted sequences that arrive in batches, holding one batch of each. Pure. */

/**
 * In batches again: an item at a time would cost more than what is done with it.
 *
 * @param sources - Each already in order.
 * @param compare - Negative when the first comes first. Of equals, the one of the earlier source comes first.
 */
export async function* merge<T>(
  sources: readonly AsyncGenerator<readonly T[]>[],
  compare: (a: T, b: T) => number,
): AsyncGenerator<readonly T[]> {
  const heads = sources.map((source) => ({ source, batch: [] as readonly T[], at: 0, isDone: false }))
  const refill = async (head: (typeof heads)[number]): Promise<void> => {
    while (!head.isDone && head.at >= head.batch.length) {
      const next = await head.source.next()
      head.isDone = next.done === true
      head.batch = next.done === true ? [] : next.value
      head.at = 0
    }
  }
  /** In order, until one of the batches ends: what follows it may come next. */
  const takeReady = (): readonly T[] => {
    const ready: T[] = []
    for (;;) {
      let best: { head: (typeof heads)[number]; item: T } | undefined
      for (const head of heads) {
        const item = head.batch[head.at]
        if (item === undefined || (best !== undefined && compare(item, best.item) >= 0)) continue
        best = { head, item }
      }
      if (best === undefined) return ready
      best.head.at += 1
      ready.push(best.item)
      if (best.head.at >= best.head.batch.length) return ready
    }
  }
  try {
    for (;;) {
      await Promise.all(heads.map(refill))
      const ready = takeReady()
      if (ready.length === 0) return
      yield ready
    }
  } finally {
    await Promise.all(sources.map((source) => source.return(undefined)))
  }
}

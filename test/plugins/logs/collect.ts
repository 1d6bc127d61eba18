/** Everything an async sequence gives. */
export const collect = async <T>(source: AsyncIterable<T>): Promise<readonly T[]> => {
  const items: T[] = []
  for await (const item of source) items.push(item)
  return items
}

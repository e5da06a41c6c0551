/**
 * Works on all items, so many at a time: a hundred backends must not start a hundred processes at once. In the order of
 * the items.
 */
export async function inPool<T, R>(items: readonly T[], size: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const waiting = items.entries()
  const worker = async () => {
    for (const [i, item] of waiting) results[i] = await work(item)
  }
  await Promise.all(Array.from({ length: size }, worker))
  return results
}

type Placed<T> = { readonly item: T; index: number }

/**
 * The requests in flight. Not a Set: when V8 grows or compacts the table of a Set, the old table keeps a reference to the
 * new one, and once one of them is in the old generation, every table after it, and every request in them, survives
 * until a full collection.
 */
export function createOpenRequests<T>() {
  const open: Placed<T>[] = []
  return {
    count: () => open.length,
    add(item: T): Placed<T> {
      const placed = { item, index: open.length }
      open.push(placed)
      return placed
    },
    /** Takes one out that is in. */
    remove(placed: Placed<T>): void {
      const last = open.pop()
      if (last === undefined || last === placed) return
      open[placed.index] = last
      last.index = placed.index
    },
    items: () => open.map(({ item }) => item),
  }
}

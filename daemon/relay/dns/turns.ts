type Turns = {
  /** Works that run at the same time, each of another node. */
  readonly atOnce: number
  /** Works that wait, of all nodes and of one. */
  readonly waiting: number
  readonly waitingPerNode: number
}

/** Gives nodes their turns one after the other: who asks for much waits for itself. */
export function createTurns({ atOnce, waiting, waitingPerNode }: Turns) {
  /** In the order of their next turns. */
  const queues = new Map<string, (() => void)[]>()
  const active = new Set<string>()
  let count = 0

  function begin(): void {
    for (const [node, queue] of queues) {
      if (active.size >= atOnce) return
      if (active.has(node)) continue
      queues.delete(node)
      const start = queue.shift()
      if (queue.length > 0) queues.set(node, queue)
      count -= 1
      active.add(node)
      start?.()
    }
  }

  /** @returns what the work came to, or `busy`: too much waits already, and it was not begun */
  return async <T>(node: string, work: () => Promise<T>): Promise<T | 'busy'> => {
    const queue = queues.get(node) ?? []
    if (count >= waiting || queue.length >= waitingPerNode) return 'busy'
    const turn = Promise.withResolvers<void>()
    queue.push(turn.resolve)
    queues.set(node, queue)
    count += 1
    begin()
    await turn.promise
    try {
      return await work()
    } finally {
      active.delete(node)
      begin()
    }
  }
}

import type { Control, ControlMessage } from '../protocol.ts'

type Answer = Control<'answer'>

/** A relay may have to look into DNS before it answers. */
const ANSWER_MS = 30_000

/**
 * What is asked of a relay on the control stream, and its answers.
 * @param closed when the tunnel is gone; what was not answered by then is not
 */
export function createAsking(send: (message: ControlMessage) => void, closed: Promise<void>) {
  const waiting = new Map<number, (answer: Answer) => void>()
  let lastId = 0
  const unanswered = (id: number): Answer => ({ type: 'answer', id, result: 'unanswered' })
  void closed.then(() => {
    for (const [id, resolve] of waiting) resolve(unanswered(id))
    waiting.clear()
  })
  return {
    /** @returns `unanswered` where the relay took too long or has gone */
    ask(messageOf: (id: number) => ControlMessage): Promise<Answer> {
      const id = ++lastId
      const { promise, resolve } = Promise.withResolvers<Answer>()
      const timer = setTimeout(() => resolve(unanswered(id)), ANSWER_MS).unref()
      waiting.set(id, resolve)
      send(messageOf(id))
      return promise.finally(() => {
        clearTimeout(timer)
        waiting.delete(id)
      })
    },
    answered: (answer: Answer): void => waiting.get(answer.id)?.(answer),
  }
}

import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { type FakeUpstream, type Seen, STREAM_HEADERS, startFakeUpstream } from './fake-upstream.ts'

/** An upstream of chat completions that streams what a test has it say, when the test says it. */
export type SlowUpstream = FakeUpstream & {
  /** The next request, once it is there. */
  readonly next: () => Promise<SlowAnswer>
}

type SlowAnswer = {
  readonly seen: Seen
  readonly say: (text: string) => void
  /** Ends it as it should end. */
  readonly end: () => void
  /** Breaks off. */
  readonly breakOff: () => void
  /** Once the client of the upstream has gone away. */
  readonly closed: Promise<unknown>
}

export async function startSlowUpstream(models: readonly string[] = ['gpt']): Promise<SlowUpstream> {
  const answers: SlowAnswer[] = []
  const waiting: ((answer: SlowAnswer) => void)[] = []
  const upstream = await startFakeUpstream((seen, response) => {
    response.writeHead(200, STREAM_HEADERS)
    const answer = slowAnswer(seen, response)
    const taker = waiting.shift()
    if (taker === undefined) answers.push(answer)
    else taker(answer)
  }, models)
  const next = () => {
    const answer = answers.shift()
    return answer === undefined ? new Promise<SlowAnswer>((resolve) => waiting.push(resolve)) : Promise.resolve(answer)
  }
  return { ...upstream, next }
}

function slowAnswer(seen: Seen, response: ServerResponse): SlowAnswer {
  const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'gpt' }
  const chunk = (delta: object, finish: string | null, rest: object = {}) =>
    `data: ${JSON.stringify({ ...head, choices: [{ index: 0, delta, finish_reason: finish }], ...rest })}\n\n`
  return {
    seen,
    say: (text) => void response.write(chunk({ role: 'assistant', content: text }, null)),
    end() {
      const usage = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 }
      response.end(`${chunk({}, 'stop', { usage })}data: [DONE]\n\n`)
    },
    breakOff: () => void response.destroy(),
    closed: once(response, 'close'),
  }
}

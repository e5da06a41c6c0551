import type { Answer } from './upstreams.ts'

/** The whole body of an answer. @throws Error when it is longer, or breaks off */
export async function textOf({ body }: Pick<Answer, 'body'>, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > maxBytes) throw new Error('the answer is too long')
  }
  return text
}

import type { Answer } from './asking.ts'

export class TooLong extends Error {}

/** The whole body of an answer. @throws TooLong when it is longer, NoAnswerError when it breaks off */
export async function textOf({ body }: Pick<Answer, 'body'>, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > maxBytes) throw new TooLong('the answer is too long')
  }
  return text
}

import { z } from 'zod'

/** As many as a client asks for, up to this; OpenAI's largest model has as many. */
const MOST_NUMBERS = 3_072
const USUAL_NUMBERS = 8
/** As many as OpenAI takes. */
const MOST_TEXTS = 2_048
/** Of all texts together: each vector is made here and now. */
const MOST_VALUES = 200_000

const text = z.union([z.string(), z.array(z.number()).min(1)])
const echoEmbedding = z.object({
  model: z.string(),
  input: z.union([text, z.array(text).min(1).max(MOST_TEXTS)]),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  dimensions: z.int().min(1).max(MOST_NUMBERS).nullish(),
})

/**
 * What the echo answers to a request for embeddings: vectors of length 1 that are the same for the same text, and mean
 * nothing; null when it cannot be read, or asks for too many numbers.
 */
export function echoEmbeddings(asked: unknown): object | null {
  const { data: request } = echoEmbedding.safeParse(asked)
  if (request === undefined) return null
  const { input, model, encoding_format: format } = request
  const { data: single } = text.safeParse(input)
  const texts = single === undefined ? z.array(text).parse(input) : [single]
  const length = request.dimensions ?? USUAL_NUMBERS
  if (texts.length * length > MOST_VALUES) return null
  const data = texts.map((text, index) => {
    const vector = vectorOf(JSON.stringify(text), length)
    const embedding = format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector]
    return { object: 'embedding', index, embedding }
  })
  const count = texts.reduce<number>((sum, text) => sum + wordsIn(text), 0)
  return { object: 'list', data, model, usage: { prompt_tokens: count, total_tokens: count } }
}

function wordsIn(text: string | readonly number[]): number {
  return typeof text === 'string' ? text.split(/\s+/).filter((word) => word !== '').length : text.length
}

/** FNV-1a of the text begins a row of xorshift numbers. */
function vectorOf(text: string, length: number): Float32Array {
  let state = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) state = Math.imul(state ^ text.charCodeAt(at), 0x01000193)
  state ||= 1
  const numbers = Array.from({ length }, () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state / 2 ** 31
  })
  const norm = Math.hypot(...numbers) || 1
  return Float32Array.from(numbers, (number) => number / norm)
}

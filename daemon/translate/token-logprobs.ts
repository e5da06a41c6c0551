import { type JsonRecord, listIn, numberIn, recordsIn, textIn } from './json-value.ts'

/** How likely a token was: the logarithm of its probability. `bytes` are of its UTF-8; null: not said. */
export type TokenChance = { readonly token: string; readonly logprob: number; readonly bytes: readonly number[] | null }

/** A token of an answer, and the likeliest in its place. */
type TokenLogprob = TokenChance & { readonly top: readonly TokenChance[] }

export type TokenLogprobs = readonly TokenLogprob[]

/** For a part or an event: nothing where there are none. */
export const withLogprobs = (logprobs: TokenLogprobs): { readonly logprobs?: TokenLogprobs } =>
  logprobs.length === 0 ? {} : { logprobs }

/** The form that OpenAI's APIs and Ollama's share. */
export function logprobsIn(list: unknown): TokenLogprobs {
  return recordsIn(list).flatMap((one) => {
    const chance = chanceIn(one)
    return chance === null
      ? []
      : [{ ...chance, top: recordsIn(one['top_logprobs']).flatMap((top) => chanceIn(top) ?? []) }]
  })
}

function chanceIn({ token, logprob, bytes }: JsonRecord): TokenChance | null {
  const [text, chance] = [textIn(token), numberIn(logprob)]
  if (text === null || chance === null) return null
  const all = listIn(bytes).filter((byte) => typeof byte === 'number')
  return { token: text, logprob: chance, bytes: Array.isArray(bytes) ? all : null }
}

/** @param hasBytes whether the bytes of tokens are said, too: where they are not known, those of the text */
export function logprobObjects(logprobs: TokenLogprobs, hasBytes = true): readonly object[] {
  const chanceObject = ({ token, logprob, bytes }: TokenChance) => ({
    token,
    logprob,
    ...(hasBytes && { bytes: bytes ?? [...Buffer.from(token)] }),
  })
  return logprobs.map((one) => ({ ...chanceObject(one), top_logprobs: one.top.map(chanceObject) }))
}

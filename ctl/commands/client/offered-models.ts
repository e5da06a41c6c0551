import type { IncomingMessage } from 'node:http'
import { valueAt } from '../../../syntax/tree.ts'
import { failure } from '../../failure.ts'
import { jsonOf, sendHttps } from '../../gateway/https.ts'
import type { ClientModel } from './clients.ts'

const TIMEOUT_MS = 10_000
/** A model has about 1 kB, and a gateway in front of a market of models has thousands. */
const MOST_BYTES = 16 * 2 ** 20

/**
 * What the gateway offers to this key, with the facts that it knows.
 * @param url without a path
 * @returns null when the gateway wants a key, or another one
 * @throws Failure NO_GATEWAY
 */
export async function offeredModels(url: string, key: string | undefined): Promise<readonly ClientModel[] | null> {
  const response = await ask(`${url}/v1/models`, key)
  const { statusCode } = response
  if (statusCode === 401 || statusCode === 403) {
    response.destroy()
    return null
  }
  const list = await jsonOf(response, MOST_BYTES).catch((error: unknown) => silent(url, error))
  const data = list?.['data']
  if (statusCode === 200 && Array.isArray(data))
    return [...data.filter(isReal), ...data.filter(isEcho)].flatMap(modelOf)
  throw failure('NO_GATEWAY', `${url}/v1/models answered ${statusCode}, but not as a gateway does`, {
    hint: 'check --url: it is the address of the gateway, without a path',
  })
}

/** The built-in upstream, which no client means when it names none. */
const isEcho = (entry: unknown): boolean => valueAt(entry, ['owned_by']) === 'echo'
const isReal = (entry: unknown): boolean => !isEcho(entry)

async function ask(url: string, key: string | undefined): Promise<IncomingMessage> {
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` }
  const signal = AbortSignal.timeout(TIMEOUT_MS) // of the whole answer
  return await sendHttps(url, { method: 'GET', headers, signal, timeoutMs: TIMEOUT_MS }).catch((error: unknown) =>
    silent(url, error),
  )
}

function silent(url: string, error: unknown): never {
  throw failure('NO_GATEWAY', `${url}: ${error instanceof Error ? error.message : String(error)}`, {
    hint: 'check --url; for a certificate of your own CA: NODE_EXTRA_CA_CERTS=FILE gatectl client …',
    cause: error,
  })
}

/** Of the facts that OpenRouter's list has, and ours; unknown ones count as what most models can do. */
function modelOf(entry: unknown): readonly ClientModel[] {
  const id = valueAt(entry, ['id'])
  if (typeof id !== 'string' || id === '' || /\p{C}/u.test(id)) return []
  const output = wordsAt(entry, ['architecture', 'output_modalities'])
  if (output !== undefined && !output.includes('text')) return []
  const parameters = wordsAt(entry, ['supported_parameters'])
  const contextTokens = countAt(entry, ['context_length'])
  const outputTokens = countAt(entry, ['top_provider', 'max_completion_tokens'])
  return [
    {
      id,
      ...(contextTokens !== undefined && { contextTokens }),
      ...(outputTokens !== undefined && { outputTokens }),
      images: wordsAt(entry, ['architecture', 'input_modalities'])?.includes('image') ?? false,
      tools: parameters?.includes('tools') ?? true,
      reasoning: parameters?.includes('reasoning') ?? false,
    },
  ]
}

function countAt(entry: unknown, path: readonly string[]): number | undefined {
  const value = valueAt(entry, path)
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined
}

function wordsAt(entry: unknown, path: readonly string[]): readonly unknown[] | undefined {
  const value = valueAt(entry, path)
  return Array.isArray(value) ? value : undefined
}

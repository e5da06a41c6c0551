/**
 * Providers and the URL their API answers at, up to and including the version.
 * `null`: there is no usual address (`custom`), or none is needed (`echo` is built in).
 */
const BASE_URLS = {
  openai: 'https://api.openai.com/v1',
  anthropic: 'https://api.anthropic.com/v1',
  google: 'https://generativelanguage.googleapis.com/v1beta/openai',
  mistral: 'https://api.mistral.ai/v1',
  groq: 'https://api.groq.com/openai/v1',
  openrouter: 'https://openrouter.ai/api/v1',
  deepseek: 'https://api.deepseek.com/v1',
  together: 'https://api.together.xyz/v1',
  xai: 'https://api.x.ai/v1',
  ollama: 'http://127.0.0.1:11434/v1',
  vllm: 'http://127.0.0.1:8000/v1',
  'llama-cpp': 'http://127.0.0.1:8080/v1',
  lmstudio: 'http://127.0.0.1:1234/v1',
  custom: null,
  echo: null,
} as const satisfies Record<string, string | null>

export type Provider = keyof typeof BASE_URLS

/** Every kind of upstream, in the order they are shown. */
export const PROVIDERS = [
  'openai',
  'anthropic',
  'google',
  'mistral',
  'groq',
  'openrouter',
  'deepseek',
  'together',
  'xai',
  'ollama',
  'vllm',
  'llama-cpp',
  'lmstudio',
  'custom',
  'echo',
] as const satisfies readonly Provider[]

export function isProvider(name: unknown): name is Provider {
  return typeof name === 'string' && Object.hasOwn(BASE_URLS, name)
}

/** The usual URL of a provider; undefined when it has none. */
export function defaultBaseUrl(provider: Provider): string | undefined {
  return BASE_URLS[provider] ?? undefined
}

/** URL an upstream is asked at. @throws RangeError for `echo`, and for `custom` without `base_url` (refused at load) */
export function baseUrlOf(
  name: string,
  upstream: { readonly provider: Provider; readonly base_url?: string | undefined },
): string {
  const url = upstream.base_url ?? defaultBaseUrl(upstream.provider)
  if (url === undefined) throw new RangeError(`upstream ${name} has no base_url`)
  return url
}

import type { UpstreamConfig } from '../../schemas/config/config.ts'
import { readListing } from './catalog.ts'
import type { ModelListing } from './upstreams.ts'

/** Engines that people run on their own machine, and the loopback port each uses unless told otherwise. */
const ENGINES = [
  { name: 'ollama', provider: 'ollama', port: 11_434 },
  // older ones; of two that answer, the later row counts
  { name: 'llama-cpp', provider: 'llama-cpp', port: 8_080 },
  { name: 'llama-cpp', provider: 'llama-cpp', port: 9_931 },
  { name: 'vllm', provider: 'vllm', port: 8_000 },
  { name: 'lmstudio', provider: 'lmstudio', port: 1_234 },
] as const

const PROBE_TIMEOUT_MS = 500
/** An engine that is busy may miss a look; only after so many in a row it is taken to be gone. */
export const MISSES_UNTIL_GONE = 3

/**
 * Looks for engines on loopback: whatever lists its models as such an engine does is one. Never rejects.
 * @param skip names that the configuration has already, and ports that are Gate's own
 * @param listingOf how engines of a provider list their models, below /v1
 * @returns configurations by name, ready to be used as upstreams
 */
export async function discoverEngines(
  skip: { readonly names: ReadonlySet<string>; readonly ports: ReadonlySet<number> },
  listingOf: (provider: string) => ModelListing,
  signal: AbortSignal,
): Promise<Record<string, UpstreamConfig>> {
  const wanted = ENGINES.filter(({ name, port }) => !skip.names.has(name) && !skip.ports.has(port))
  const found = await Promise.all(
    wanted.map(async (engine) => ((await answers(engine.port, listingOf(engine.provider), signal)) ? [engine] : [])),
  )
  return Object.fromEntries(
    found.flat().map(({ name, provider, port }) => [
      name,
      {
        enabled: true,
        provider,
        base_url: `http://127.0.0.1:${port}/v1`,
        timeout: '600s',
        idle_timeout: '120s',
        connect_timeout: '5s',
      },
    ]),
  )
}

async function answers(port: number, lists: ModelListing, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/v1${lists.modelsPath}`, {
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(PROBE_TIMEOUT_MS)]),
    })
    if (response.ok) await readListing(lists, response)
    else await response.body?.cancel()
    return response.ok
  } catch {
    return false // nothing there, or something else: not an engine either way
  }
}

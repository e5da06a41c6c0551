import type { UpstreamConfig } from '../../schemas/config/config.ts'
import { LOCAL_ENGINES, type LocalEngine } from '../../schemas/words/local-engines.ts'
import { asked } from './asking.ts'
import { readListing } from './catalog.ts'
import { foreignPorts } from './foreign-ports.ts'
import type { ModelListing } from './upstream.ts'

const PROBE_TIMEOUT_MS = 500
/** An engine that is busy may miss a look; only after so many in a row it is taken to be gone. */
export const MISSES_UNTIL_GONE = 3

/**
 * Looks for engines on loopback: whatever lists its models as such an engine does is one, unless another login of this
 * host listens there. Never rejects.
 * @param skip names that the configuration has already, and ports that are Gate's own
 * @param listingOf how engines of a provider list their models, below /v1
 * @returns configurations by name, ready to be used as upstreams; and which are not to be used any more
 */
export async function discoverEngines(
  skip: { readonly names: ReadonlySet<string>; readonly ports: ReadonlySet<number> },
  listingOf: (provider: string) => ModelListing,
  signal: AbortSignal,
  engines: readonly LocalEngine[] = LOCAL_ENGINES,
): Promise<{ readonly found: Record<string, UpstreamConfig>; readonly foreign: ReadonlySet<string> }> {
  const wanted = engines.filter(({ name, port }) => !skip.names.has(name) && !skip.ports.has(port))
  const answering = await Promise.all(
    wanted.map(async (engine) => ((await answers(engine.port, listingOf(engine.provider), signal)) ? [engine] : [])),
  )
  const foreign = await foreignPorts() // who listens by now
  const own = answering.flat().filter(({ port }) => !foreign.has(port))
  const found = Object.fromEntries(
    own.map(({ name, provider, port }) => [
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
  const lost = wanted.filter(({ name, port }) => foreign.has(port) && !Object.hasOwn(found, name))
  return { found, foreign: new Set(lost.map(({ name }) => name)) }
}

async function answers(port: number, lists: ModelListing, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await asked({
      url: `http://127.0.0.1:${port}/v1${lists.modelsPath}`,
      headers: {},
      signal: AbortSignal.any([signal, AbortSignal.timeout(PROBE_TIMEOUT_MS)]),
    })
    if (response.ok) await readListing(lists, response)
    else await response.body?.cancel()
    return response.ok
  } catch {
    return false // nothing there, or something else: not an engine either way
  }
}

import type { UpstreamConfig } from '../../schemas/config/config.ts'
import type { ModelPrice } from '../../schemas/words/model-facts.ts'

/** A price as it is configured. */
export function priceOf({
  input,
  output,
  cache_read,
  cache_write,
}: NonNullable<UpstreamConfig['prices']>[number]): ModelPrice {
  return {
    input,
    output,
    ...(cache_read !== undefined && { cacheRead: cache_read }),
    ...(cache_write !== undefined && { cacheWrite: cache_write }),
  }
}

import { byteCount, durationMs } from '../../schemas/config/values.ts'
import type { Spec } from '../../schemas/spec/spec.ts'
import type { Sandbox, Upstream } from './nodes/gateway.ts'
import type { WebProxy } from './nodes/web.ts'

export function lowerUpstreams(upstreams: Spec['upstreams']): Upstream[] {
  return Object.entries(upstreams).map(([name, upstream]) => {
    const { enabled, provider, base_url, socket, models, timeout, idle_timeout, connect_timeout, ...rest } = upstream
    const { key_requests_per_minute, dialects, parameters, system_prefix, tool_arguments, prices, ...others } = rest
    const { api_key: _secret, ...left } = others
    left satisfies Record<string, never>
    return {
      origin: ['upstreams', name],
      name,
      enabled,
      provider,
      baseUrl: base_url,
      socket,
      models,
      keyRequestsPerMinute: key_requests_per_minute,
      dialects,
      parameters,
      systemPrefix: system_prefix,
      toolArguments: tool_arguments,
      prices,
      timeoutMs: durationMs(timeout),
      idleTimeoutMs: durationMs(idle_timeout),
      connectTimeoutMs: durationMs(connect_timeout),
    }
  })
}

export function lowerSandbox({ timeout, memory, ...rest }: Spec['sandbox']): Sandbox {
  return { ...rest, timeoutMs: durationMs(timeout), memoryBytes: byteCount(memory) }
}

export function lowerProxy({ hsts, ...rest }: Spec['proxy']): WebProxy {
  return { ...rest, hstsMs: durationMs(hsts) }
}

import type { Config } from '../../schemas/config/config.ts'
import { byteCount, durationMs } from '../../schemas/config/values.ts'
import { addressList } from '../admit/address.ts'
import type { AdmissionLimits } from '../admit/admission.ts'

const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '::1'])

export type GatewaySettings = ReturnType<typeof gatewaySettings>

/** What the request path needs of the configuration, parsed once per change. */
export function gatewaySettings({ server, auth }: Config) {
  const isOpen = auth.mode === 'none'
  return {
    isOpen,
    // without keys, a web page that has its own name resolve to 127.0.0.1 would be let in
    allowedHosts:
      server.allowed_hosts.length > 0
        ? new Set(server.allowed_hosts.map((name) => name.toLowerCase()))
        : isOpen
          ? LOOPBACK_NAMES
          : null,
    allowFrom: addressList(server.allow_from),
    trustedProxies: addressList(server.trusted_proxies),
    stallTimeoutMs: durationMs(server.stall_timeout),
  }
}

/** Bounds of admission, from the same configuration. */
export function admissionLimits({ server }: Config): AdmissionLimits {
  return {
    maxConcurrent: server.max_concurrent,
    maxBodyBytes: byteCount(server.max_body),
    maxBufferedBytes: byteCount(server.max_buffered),
  }
}

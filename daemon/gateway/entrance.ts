import type { IncomingMessage } from 'node:http'
import { GateError } from '../../schemas/words/errors.ts'
import { addressList, clientAddress } from '../admit/address.ts'
import { checkRequest, hostName } from '../listener/request-check.ts'
import type { gatewaySettings } from './settings.ts'

const LOOPBACK = addressList(['127.0.0.0/8', '::1'])

/**
 * Refuses a request that is malformed, or comes from an address or asks for a host name that may not.
 * @returns path and query  @throws GateError
 */
export function checkEntrance(request: IncomingMessage, settings: ReturnType<typeof gatewaySettings>): string {
  const url = checkRequest(request)
  const { isOpen, allowFrom, trustedProxies, allowedHosts } = settings
  // whatever socket this came over: one passed on by systemd may listen elsewhere than server.host says
  if (isOpen && !LOOPBACK.has(request.socket.remoteAddress ?? '')) {
    throw new GateError('FORBIDDEN_ADDRESS', 'auth.mode none serves this host only; set auth.mode to token')
  }
  if (!allowFrom.isEmpty) {
    const forwardedFor = request.headers['x-forwarded-for']
    const address = clientAddress(request.socket.remoteAddress ?? '', String(forwardedFor ?? ''), trustedProxies)
    if (!allowFrom.has(address))
      throw new GateError('FORBIDDEN_ADDRESS', 'this address may not connect (server.allow_from)')
  }
  if (allowedHosts !== null && !allowedHosts.has(hostName(request.headers.host ?? ''))) {
    throw new GateError('MISDIRECTED', 'this host name is not served here (server.allowed_hosts)')
  }
  return url
}

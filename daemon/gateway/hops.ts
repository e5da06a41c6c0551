import type { IncomingHttpHeaders } from 'node:http'
import { GateError } from '../../schemas/words/errors.ts'
import { HOPS_HEADER, hopsIn } from '../relay/peers/protocol.ts'

/**
 * Refuses a request that has been here before, or at too many gateways.
 * @param nodeId of this gateway among others; null: it has none
 * @throws GateError LOOP_DETECTED
 */
export function refuseLoop(headers: IncomingHttpHeaders, nodeId: string | null): void {
  const header = headers[HOPS_HEADER]
  if (header === undefined || nodeId === null) return
  if (hopsIn(String(header), nodeId) === undefined)
    throw new GateError(
      'LOOP_DETECTED',
      'this request has been through this gateway, or through too many: peers use each other',
    )
}

/** Adds where a request has been, this gateway included. */
export function pushHop(out: string[], { [HOPS_HEADER]: before }: IncomingHttpHeaders, nodeId: string | null): void {
  if (nodeId !== null) out.push(HOPS_HEADER, before === undefined ? nodeId : `${String(before)}, ${nodeId}`)
}

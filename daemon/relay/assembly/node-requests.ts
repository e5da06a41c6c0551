import type { createChallengeRecords } from '../dns/challenge-records.ts'
import { claimBytes, nodeIdOf } from '../protocol.ts'
import type { ClaimOutcome, Registry } from '../registry/registry.ts'
import { isSigned } from '../route-proof.ts'
import type { NodeRequest, NodeRequests, Requester } from '../server/parts.ts'

type Answer = Awaited<ReturnType<NodeRequests>>

/** Answers what nodes ask for over their tunnels. */
export function answerNodes(registry: Registry, records: ReturnType<typeof createChallengeRecords>): NodeRequests {
  return async (from, request, signal) => {
    switch (request.type) {
      case 'claim':
        return await answerClaim(registry, from, request)
      case 'release': {
        const released = await registry.release(request.name, from.nodeId)
        return { result: released === 'released' ? 'ok' : released }
      }
      case 'txt-set':
        return await records.set(from.nodeId, request.host, request.value, signal)
      case 'txt-remove':
        return await records.remove(from.nodeId, request.host, request.value, signal)
    }
  }
}

async function answerClaim(
  registry: Registry,
  { nodeId, spki, exporter }: Requester,
  { name, invite, signature, previous }: Extract<NodeRequest, { type: 'claim' }>,
): Promise<Answer> {
  const signed = claimBytes(exporter, { name, nodeId })
  if (!isSigned(signed, spki, signature)) return { result: 'bad-signature' }
  let movedFrom: string | undefined
  if (previous !== undefined) {
    const key = Buffer.from(previous.publicKey, 'base64url')
    if (!isSigned(signed, key, previous.signature)) return { result: 'bad-signature', detail: 'of the key before' }
    movedFrom = nodeIdOf(key)
  }
  return toAnswer(
    await registry.claim({ name, nodeId, invite, movedFrom, signature, exporter: exporter.toString('base64url') }),
  )
}

/** In the words of an answer. */
export function toAnswer(outcome: ClaimOutcome): Answer {
  switch (outcome.kind) {
    case 'claimed':
      return { result: 'ok' }
    case 'invalid':
      return { result: 'invalid', detail: outcome.reason }
    case 'too-many':
      return { result: 'too-many', detail: `a node has ${outcome.most} names at most: release one` }
    case 'quarantined':
      return { result: 'quarantined', detail: `until ${new Date(outcome.untilMs).toISOString()}` }
    case 'no-proof':
      return { result: 'no-proof', detail: `set a TXT record at ${outcome.record} with the value ${outcome.value}` }
    default:
      return { result: outcome.kind }
  }
}

import { addressBlocks, parseHostPort } from '../../../schemas/words/address.ts'
import type { createChallengeRecords } from '../dns/challenge-records.ts'
import { claimBytes, nodeIdOf } from '../protocol.ts'
import { type Allowance, createAllowances } from '../registry/allowances.ts'
import type { Claim, ClaimOutcome, Registry } from '../registry/registry.ts'
import { isSigned } from '../route-proof.ts'
import type { LocatedRequester, NodeRequest, NodeRequests } from '../server/parts.ts'

type Answer = Awaited<ReturnType<NodeRequests>>

export type NodeRequestParts = {
  readonly registry: Pick<Registry, 'claim' | 'release' | 'namesOf'>
  readonly records: Pick<ReturnType<typeof createChallengeRecords>, 'set' | 'remove'>
  /** Whether a name is given for an invite only. */
  readonly wantsInvite: () => boolean
  /** Monotonic milliseconds. */
  readonly now: () => number
}

/** Kept over tunnels: a node that comes again begins where it was. */
const PER_NODE: Allowance = { burst: 32, everyMs: 6_000 }
/** Keys are free, networks are not. */
const PER_NETWORK: Allowance = { burst: 512, everyMs: 1_000 }
/** Names that are given to nodes of one network without an invite: 32 at once, 24 a day. */
const NAMES_PER_NETWORK: Allowance = { burst: 32, everyMs: 3_600_000 }
/** Records of challenges: a dozen calls of a DNS provider each, which allows an account 1,200 in five minutes. */
const RECORDS_PER_NETWORK: Allowance = { burst: 48, everyMs: 60_000 }
/** Claims at the same time: each may ask the DNS. */
const MOST_CLAIMS = 64

/** Answers what nodes ask for over their tunnels; `busy`: asked for too often, or by too many at once. */
export function answerNodes(parts: NodeRequestParts): NodeRequests {
  const { registry, records, wantsInvite, now } = parts
  const nodes = createAllowances(PER_NODE, now)
  const networks = createAllowances(PER_NETWORK, now)
  const names = createAllowances(NAMES_PER_NETWORK, now)
  const set = createAllowances(RECORDS_PER_NETWORK, now)
  let claiming = 0

  /** A claim that brings no new name costs nothing of what its network may have. */
  async function claimed(claim: Claim, network: string): Promise<Answer> {
    const isCounted = !wantsInvite()
    if (isCounted && !names.take(network)) return { result: 'busy', detail: 'many names were given to this network' }
    const before = registry.namesOf(claim.nodeId).length
    const outcome = await registry.claim(claim)
    const isNew = outcome.kind === 'claimed' && registry.namesOf(claim.nodeId).length > before
    if (isCounted && !isNew) names.giveBack(network)
    return toAnswer(outcome)
  }

  async function asked(from: LocatedRequester, network: string, request: NodeRequest, signal: AbortSignal) {
    switch (request.type) {
      case 'claim': {
        const claim = signedClaim(from, request)
        if ('result' in claim) return claim
        if (claiming >= MOST_CLAIMS) return { result: 'busy' }
        claiming += 1
        return await claimed(claim, network).finally(() => {
          claiming -= 1
        })
      }
      case 'release': {
        const released = await registry.release(request.name, from.nodeId)
        return { result: released === 'released' ? 'ok' : released }
      }
      case 'txt-set':
        if (!set.take(network)) return { result: 'busy', detail: 'many records were set by this network' }
        return await records.set(from.nodeId, request.host, request.value, signal)
      case 'txt-remove':
        return await records.remove(from.nodeId, request.host, request.value, signal)
    }
  }

  return async (from, request, signal) => {
    const network = addressBlocks(parseHostPort(from.address).host).network
    if (!nodes.take(from.nodeId) || !networks.take(network))
      return { result: 'busy', detail: 'asked for too often: try again later' }
    return await asked(from, network, request, signal)
  }
}

/** @returns what the registry is asked, or why it is not */
function signedClaim(
  { nodeId, spki, exporter }: LocatedRequester,
  { name, invite, signature, previous }: Extract<NodeRequest, { type: 'claim' }>,
): Claim | Answer {
  const signed = claimBytes(exporter, { name, nodeId })
  if (!isSigned(signed, spki, signature)) return { result: 'bad-signature' }
  let before: Claim['previous']
  if (previous !== undefined) {
    const key = Buffer.from(previous.publicKey, 'base64url')
    if (!isSigned(signed, key, previous.signature)) return { result: 'bad-signature', detail: 'of the key before' }
    before = { nodeId: nodeIdOf(key), key: previous.publicKey, signature: previous.signature }
  }
  const [key, given] = [spki.toString('base64url'), exporter.toString('base64url')]
  return { name, nodeId, key, invite, previous: before, signature, exporter: given }
}

/** In the words of an answer. */
export function toAnswer(outcome: ClaimOutcome): Answer {
  switch (outcome.kind) {
    case 'claimed':
      return { result: 'ok' }
    case 'invalid':
      return { result: 'invalid', detail: outcome.reason }
    case 'too-many':
      return {
        result: 'too-many',
        detail: `a node has ${outcome.most} names at most, and one that it releases counts for 90 days`,
      }
    case 'quarantined':
      return { result: 'quarantined', detail: `until ${new Date(outcome.untilMs).toISOString()}` }
    case 'no-proof':
      return { result: 'no-proof', detail: `set a TXT record at ${outcome.record} with the value ${outcome.value}` }
    default:
      return { result: outcome.kind }
  }
}

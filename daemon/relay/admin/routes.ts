import { z } from 'zod'
import type { RelayAnswers, RelayOutcome, RelayRoute, RelayStatus, RelayTunnel } from '../../../schemas/relay-admin.ts'
import { isNodeId } from '../protocol.ts'
import type { Claim, Registry } from '../registry/registry.ts'

export type AdminParts = {
  readonly registry: Registry
  readonly status: () => RelayStatus
  readonly tunnels: () => readonly RelayTunnel[]
  /** A claim by the operator, in the words of an answer. */
  readonly claim: (claim: Claim) => Promise<RelayOutcome>
  /** Unix milliseconds. */
  readonly now: () => number
}

type Row<R extends RelayRoute> = {
  /** Of the body; null: there is none. */
  readonly body: z.ZodType | null
  answer(parts: AdminParts, body: unknown): RelayAnswers[R] | Promise<RelayAnswers[R]>
}

const host = z.string().min(1).max(253)
const nodeId = z.string().refine(isNodeId, 'write the id of a node: 32 letters and digits')
const claim = z.strictObject({ name: host, nodeId })
const release = z.strictObject({ name: host })
const invite = z.strictObject({
  uses: z.int().min(1).max(10_000).default(1),
  days: z.int().min(1).max(365).default(7),
  note: z.string().max(200).default(''),
})
const DAY_MS = 86_400_000

/** The whole admin API of a relay. */
export const ROUTES: { readonly [R in RelayRoute]: Row<R> } = {
  'GET /status': { body: null, answer: ({ status }) => status() },
  'GET /nodes': { body: null, answer: ({ tunnels }) => ({ tunnels: tunnels() }) },
  'GET /names': { body: null, answer: ({ registry }) => ({ names: registry.names() }) },
  'POST /claim': {
    body: claim,
    async answer(parts, body) {
      const { name, nodeId: node } = body as z.output<typeof claim>
      return await parts.claim({ name, nodeId: node, key: '', signature: '', exporter: '', isByOperator: true })
    },
  },
  'POST /release': {
    body: release,
    async answer({ registry }, body) {
      const { name } = body as z.output<typeof release>
      const released = await registry.release(name)
      if (released !== 'released') return { result: released === 'not-owner' ? 'not-found' : released }
      return { result: 'ok' }
    },
  },
  'GET /invites': { body: null, answer: ({ registry }) => ({ invites: registry.invites() }) },
  'POST /invites': {
    body: invite,
    async answer({ registry, now }, body) {
      const { uses, days, note } = body as z.output<typeof invite>
      const expiresAtMs = now() + days * DAY_MS
      const text = await registry.makeInvite(uses, expiresAtMs, note)
      return text === undefined ? { result: 'unavailable' } : { invite: text, expiresAtMs, uses }
    },
  },
}

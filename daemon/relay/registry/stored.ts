import { z } from 'zod'

const text = z.string().max(1_024)

/** What is stored of a name: the claim as its node has signed it, and with whose signature it moved. */
const name = z.object({
  nodeId: z.string(),
  claimedAtMs: z.number(),
  releasedAtMs: z.number().optional(),
  /** As it was claimed. */
  name: z.string().max(255),
  key: text,
  signature: text,
  exporter: text,
  previous: z.object({ key: text, signature: text }).optional(),
  isByOperator: z.boolean().optional(),
})
/** `resting`: what it has released and still counts for it. */
const node = z.object({
  hosts: z.array(z.string()),
  resting: z.array(z.object({ host: z.string(), untilMs: z.number() })).default([]),
})
const invite = z.object({ left: z.int(), expiresAtMs: z.number(), note: z.string() })
const relay = z.object({ address: z.string() })
/** When each TXT record of a name is removed, Unix milliseconds, by its value. */
const records = z.record(z.string(), z.number())

/** A certificate that was given for a name outlives its release by this at most. */
export const QUARANTINE_MS = 90 * 24 * 3_600_000

export type StoredNode = z.infer<typeof node>
export type StoredName = z.infer<typeof name>
export type StoredInvite = z.infer<typeof invite>

/** Keys of the store. */
export const keyOf = {
  name: (host: string) => `name/${host}`,
  node: (nodeId: string) => `node/${nodeId}`,
  invite: (hash: string) => `invite/${hash}`,
  relay: (id: string) => `relay/${id}`,
  route: (nodeId: string, relayId: string, tunnel: string) => `route/${nodeId}/${relayId}/${tunnel}`,
  records: (host: string) => `txt/${host}`,
}

/** A stored value, read; undefined for what another version, or another program, left there. */
function read<T>(schema: z.ZodType<T>, value: string | undefined): T | undefined {
  if (value === undefined) return undefined
  try {
    return schema.safeParse(JSON.parse(value)).data
  } catch {
    return undefined
  }
}

export const readStoredName = (value: string | undefined) => read(name, value)
export const readStoredNode = (value: string | undefined) => read(node, value)
export const readStoredInvite = (value: string | undefined) => read(invite, value)
export const readStoredRelay = (value: string | undefined) => read(relay, value)
export const readStoredRecords = (value: string | undefined) => read(records, value)

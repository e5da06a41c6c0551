import { z } from 'zod'
import type { Change, Condition } from './record-store.ts'

/** 64-bit numbers are text in JSON; those that are 0 are left out. Revisions stay far below 2^53. */
const long = z.coerce.number().default(0)
const kv = z.object({
  key: z.string(),
  value: z.string().default(''),
  mod_revision: long,
  lease: z.string().default('0'),
})
const header = z.object({ revision: long })

/** @see https://github.com/etcd-io/etcd/blob/release-3.4/etcdserver/etcdserverpb/rpc.proto */
export const answers = {
  range: z.object({ header, kvs: z.array(kv).default([]), more: z.boolean().default(false) }),
  txn: z.object({
    header,
    succeeded: z.boolean().default(false),
    responses: z.array(z.object({ response_range: z.object({ kvs: z.array(kv).default([]) }).optional() })).default([]),
  }),
  lease: z.object({ ID: z.string() }),
  keepalive: z.object({ result: z.object({ TTL: long }) }),
  watch: z.object({
    result: z.object({
      header,
      canceled: z.boolean().default(false),
      compact_revision: long,
      events: z.array(z.object({ type: z.enum(['PUT', 'DELETE']).default('PUT'), kv })).default([]),
    }),
  }),
}

export type EtcdKv = z.infer<typeof kv>

export const encoded = (text: string): string => Buffer.from(text).toString('base64')
export const decoded = (text: string): string => Buffer.from(text, 'base64').toString('utf8')

/** The key after all that begin with a prefix, which ends in a byte below 0xff. */
export function rangeEnd(prefix: string): string {
  const bytes = Buffer.from(prefix)
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) + 1, bytes.length - 1)
  return bytes.toString('base64')
}

/** All changes under all conditions; where one is not met, what the keys have instead is answered. */
export function transaction(
  prefix: string,
  conditions: readonly Condition[],
  changes: readonly Change[],
  lease: string | undefined,
): object {
  return {
    compare: conditions.map(({ key, revision }) => ({
      key: encoded(prefix + key),
      target: 'MOD',
      result: 'EQUAL',
      mod_revision: String(revision),
    })),
    success: changes.map(({ key, value, isLeased }) => {
      const at = encoded(prefix + key)
      if (value === null) return { request_delete_range: { key: at } }
      return { request_put: { key: at, value: encoded(value), ...(isLeased === true && { lease }) } }
    }),
    failure: conditions.map(({ key }) => ({ request_range: { key: encoded(prefix + key) } })),
  }
}

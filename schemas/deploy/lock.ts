import { z } from 'zod'

const ids = z.strictObject({ uid: z.int().min(1), subuid: z.int().min(65_536) })

/**
 * `gate.lock.json`: what the compiler once chose and keeps. Entries of backends that are gone stay, so that a
 * later backend never becomes the owner of files that an earlier one left.
 */
export const lockSchema = z.strictObject({
  version: z.literal(1),
  /** By backend: its user id, and the first of its 65,536 subordinate ids. */
  users: z.record(z.string(), ids),
  /** By spec path such as "gate.server.port": the port chosen for "random". */
  ports: z.record(z.string(), z.int().min(1).max(65_535)),
  /** Of accounts that an uninstall removed: never given again. Written only when there are any. */
  retired: z.array(ids).default([]),
})

export type Lock = z.output<typeof lockSchema>

/** Its name, beside the spec. */
export const LOCK_FILE = 'gate.lock.json'

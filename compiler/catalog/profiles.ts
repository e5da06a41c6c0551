import type { ProfileName } from '../../schemas/spec/spec.ts'

/** What a profile decides. Sizes are bytes; each value has a key in the spec that overrides it. */
export type Profile = {
  /** The machines it is meant for, for the documentation. */
  readonly machine: string
  /** `gate.server.max_connections` */
  readonly maxConnections: number
  /** `gate.server.max_concurrent` */
  readonly maxConcurrent: number
  /** `gate.server.max_body` */
  readonly maxBodyBytes: number
  /** `gate.server.max_buffered` */
  readonly maxBufferedBytes: number
  /** `gate.cache`: memory for the database cache */
  readonly cacheBytes: number
  /** `gate.memory`: memory the daemon may use in all */
  readonly memoryBytes: number
}

const MIB = 2 ** 20

export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  desktop: {
    machine: '4-8 cores, 8 GB or more, shared with other work',
    maxConnections: 2_000,
    maxConcurrent: 500,
    maxBodyBytes: 32 * MIB,
    maxBufferedBytes: 256 * MIB,
    cacheBytes: 64 * MIB,
    memoryBytes: 1024 * MIB,
  },
  'small-vps': {
    machine: '2 cores, 2 GB',
    maxConnections: 2_000,
    maxConcurrent: 500,
    maxBodyBytes: 16 * MIB,
    maxBufferedBytes: 128 * MIB,
    cacheBytes: 32 * MIB,
    memoryBytes: 768 * MIB,
  },
  'medium-vps': {
    machine: '4 cores, 4 GB',
    maxConnections: 10_000,
    maxConcurrent: 4_000,
    maxBodyBytes: 32 * MIB,
    maxBufferedBytes: 512 * MIB,
    cacheBytes: 128 * MIB,
    memoryBytes: 2048 * MIB,
  },
  'large-vps': {
    machine: '8 cores or more, 8 GB or more',
    maxConnections: 20_000,
    maxConcurrent: 10_000,
    maxBodyBytes: 64 * MIB,
    maxBufferedBytes: 1024 * MIB,
    cacheBytes: 256 * MIB,
    memoryBytes: 4096 * MIB,
  },
}

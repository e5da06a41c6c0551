import { z } from 'zod'

const hash = z.string().regex(/^[0-9a-f]{64}$/)
/** Below the directory of the generation: no path may lead out of it. */
const inner = z.string().regex(/^(?!.*(?:^|\/)\.{0,2}(?:\/|$))[^\0\\]+$/)
const absolute = z.string().regex(/^\/(?!.*(?:^|\/)\.{1,2}(?:\/|$))[^\0]+$/)
const account = z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/)

/**
 * What one generation asks of a host (`manifest.json` in its directory): the files beside it, where they belong, and
 * everything that is not a file. It is enough to go back to the generation without compiling its spec again.
 */
export const generationSchema = z.strictObject({
  version: z.literal(1),
  prefix: z.string(),
  /** `install`: place on the host; absent for what stays in the generation. */
  files: z.array(z.strictObject({ path: inner, install: absolute.optional(), mode: z.int(), sha256: hash })),
  groups: z.array(account),
  accounts: z.array(
    z.strictObject({
      name: account,
      /** Absent: the host picks one. */
      uid: z.int().optional(),
      home: absolute,
      groups: z.array(account),
      subuid: z.strictObject({ start: z.int(), count: z.int() }).optional(),
      linger: z.boolean(),
    }),
  ),
  /** Made at boot by systemd-tmpfiles, and by apply. */
  directories: z.array(absolute),
  /** Directories of units that are links into the current generation. */
  links: z.array(z.strictObject({ path: absolute, target: absolute })),
  units: z.array(
    z.strictObject({
      /** `system`, or the user whose manager it belongs to. */
      manager: z.string(),
      name: z.string().regex(/^[A-Za-z0-9:_.@-]+\.(?:service|socket|timer)$/),
      /** Files whose change restarts it. */
      files: z.array(inner),
      /** Files whose change reloads it. */
      reloads: z.array(inner),
      /**
       * always: apply sees to it that it runs; when-used: something else starts and stops it; foreign: not one of our
       * units.
       */
      runs: z.enum(['always', 'when-used', 'foreign']),
      /** Started at boot by a link that "systemctl enable" makes. */
      enable: z.boolean(),
      /** Longest start. */
      timeoutMs: z.number(),
    }),
  ),
  images: z.array(z.strictObject({ user: account, image: z.string(), archive: absolute.optional() })),
  networks: z.array(z.strictObject({ user: account, name: z.string() })),
  volumes: z.array(z.strictObject({ user: account, name: z.string() })),
  /** Names of secrets that are made once and kept. */
  secrets: z.array(z.string().regex(/^[A-Za-z0-9._-]+$/)),
  /** Credentials and files with secrets that must be there before. */
  credentials: z.array(
    z.strictObject({ for: z.string(), credential: z.string().optional(), file: absolute.optional() }),
  ),
  listeners: z.array(z.strictObject({ protocol: z.enum(['tcp', 'udp']), port: z.int(), unit: z.string() })),
})

export type Generation = z.output<typeof generationSchema>
export type GenerationUnit = Generation['units'][number]
export type GenerationAccount = Generation['accounts'][number]

/** `made.json`: what apply made on a host that was not there before, so that uninstall can take exactly that back. */
export const madeSchema = z.strictObject({
  version: z.literal(1),
  accounts: z.array(account),
  groups: z.array(account),
  /** Of accounts that were there before. */
  memberships: z.array(z.strictObject({ user: account, group: account })).default([]),
  linger: z.array(account),
  directories: z.array(absolute),
  /** Units of the host that apply enabled. */
  enabled: z.array(z.string()),
  /** Our units that ran before the first apply, from files of a package: uninstall starts them again. */
  running: z.array(z.string()),
  /** Path -> text of configuration files that a package brought, and that apply replaced: uninstall puts them back. */
  originals: z.record(absolute, z.string()).default({}),
  /** Programs of the host, such as nginx, that apply started because the spec needs them. */
  started: z.array(z.string()).default([]),
})

export type Made = z.output<typeof madeSchema>

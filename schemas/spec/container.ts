import { z } from 'zod'
import { LABEL_FORM, NAME } from '../config/values.ts'
import { boundedBytes } from './bounded.ts'
import { absolutePath, flag, LABEL, secret } from './values.ts'

/** What a container sees and may use beside its image: tables of a backend. */

const unlimited = z.literal('unlimited')

export const mount = z.strictObject({
  source: absolutePath('File or directory of the host.'),
  path: absolutePath('Where the container sees it; the same path when absent.').optional(),
  read_only: flag(true, 'Whether the container may only read it.'),
  relabel: z.enum(['shared', 'private']).optional().meta({
    description:
      'SELinux: give it a label that containers may read, all (shared) or this one (private). Never by itself.',
  }),
})

export const configFile = z.strictObject({
  path: absolutePath('Where the container sees it, read-only.'),
  text: z.string().max(262_144).optional().meta({
    description: 'What it says; the one text that may have several lines. Never a secret: all users can read it.',
  }),
  source: absolutePath('File of the host with what it says, in place of text.').optional(),
})

/** setrlimit(2); the account of the backend gets them, too. */
export const ulimits = z.strictObject({
  memlock: z
    .union([boundedBytes('Size.', '64KiB'), unlimited], { error: 'write a size such as "64GiB", or "unlimited"' })
    .optional()
    .meta({ description: 'Memory that it may lock, as for --mlock.' }),
  nofile: z
    .int()
    .min(64)
    .max(1_048_576)
    .optional()
    .meta({ description: 'Files and connections that a process may have open.' }),
  stack: z
    .union([boundedBytes('Size.', '64KiB', '1TiB'), unlimited], {
      error: 'write a size such as "64MiB", or "unlimited"',
    })
    .optional()
    .meta({ description: 'Size of the stack of a process.' }),
})

export const volume = z.strictObject({
  name: z.string().regex(LABEL, LABEL_FORM).max(20).meta({ description: 'Name of the volume inside its backend.' }),
  path: absolutePath('Where the container sees it.'),
})

/** Path of a file or directory below the models directory; podman reads a colon in it as the start of options. */
const BELOW = /^[A-Za-z0-9][A-Za-z0-9._+-]*(?:\/[A-Za-z0-9][A-Za-z0-9._+-]*)*$/
const modelFile = (description: string) =>
  z
    .string()
    .max(255)
    .regex(BELOW, 'write a path below the models directory such as "qwen/mmproj-f16.gguf"')
    .meta({ description })

export const hub = z.strictObject({
  token: secret('Token of the hub, for models that want one; HF_TOKEN inside.').optional(),
})

export const router = z.strictObject({
  directory: modelFile('Directory below the models directory; all of it when absent.').optional(),
  presets: absolutePath('File of the host with settings for each model (--models-preset).').optional(),
  max_loaded: z.int().min(1).max(64).optional().meta({ description: 'Models that are loaded at a time.' }),
})

/** tzfile(5) below /usr/share/zoneinfo. */
const ZONE = /^[A-Za-z0-9_+-]+(?:\/[A-Za-z0-9_+-]+){0,3}$/
export const timeZone = z
  .string()
  .max(64)
  .regex(ZONE, 'write a zone such as "Europe/Berlin", or "local" for that of the host')
  .meta({ description: 'Time zone inside, such as "Europe/Berlin"; "local": that of the host. UTC when absent.' })

export const files = z
  .record(
    z.string().regex(NAME, 'use at most 63 lower-case letters and digits, with single "-" or "_" between'),
    modelFile('A file or directory below the models directory.'),
  )
  .default({})
  .meta({
    description:
      'More files and directories below the models directory, by a name that you choose: {name} in args and environment stands for the path inside.',
  })

import { z } from 'zod'
import { NAME, port } from '../config/values.ts'

/** What the sections of the spec have in common: patterns, and values that several of them hold. */

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/
/** One DNS label. */
export const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const ABSOLUTE = /^(?!.*\/\/)(?!.*\/\.{1,2}(?:\/|$))\/.*[^/\s\\]$/
/** A container image, by tag or digest. */
export const IMAGE =
  /^[a-z0-9][A-Za-z0-9._-]*(?::\d+)?(?:\/[a-z0-9][a-z0-9._-]*)*(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/
export const ENVIRONMENT_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
/** A network interface, netdevice(7). */
export const INTERFACE = /^[A-Za-z0-9_.@-]{1,15}$/

export const hostName = (description: string) =>
  z.string().regex(HOST_NAME, 'write a lower-case host name such as "ai.example.org"').meta({ description })
const ABSOLUTE_HINT = 'write an absolute path without empty, "." or ".." segments'
export const absolutePath = (description: string) => z.string().regex(ABSOLUTE, ABSOLUTE_HINT).meta({ description })
export const interfaces = (description: string) =>
  z.array(z.string().regex(INTERFACE, 'write the name of a network interface such as "eth0"')).meta({ description })
/** A boolean and its default. */
export const flag = (fallback: boolean, description: string) => z.boolean().default(fallback).meta({ description })

/** A name of a file, as systemd and Compose have it. */
const CREDENTIAL = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,128}$/

/** A secret is only ever referred to: by systemd credential, environment name or absolute file. */
export const secret = (description: string) =>
  z
    .union(
      [
        z.strictObject({
          credential: z.string().regex(CREDENTIAL, 'write letters, digits, ".", "_" and "-", other than "." and ".."'),
        }),
        z.strictObject({ env: z.string().regex(ENVIRONMENT_NAME, 'write the name of a variable such as "API_KEY"') }),
        z.strictObject({ file: z.string().regex(ABSOLUTE, ABSOLUTE_HINT) }),
      ],
      { error: 'write { credential = "name" }, { env = "NAME" } or { file = "/absolute/path" }' },
    )
    .meta({ description, secret: true, examples: [{ credential: 'openai' }] })

/** A table whose keys people choose. */
export const named = <T extends z.ZodType>(value: T, description: string) =>
  z
    .record(
      z.string().regex(NAME, 'use at most 63 lower-case letters and digits, with single "-" or "_" between'),
      value,
    )
    .default({})
    .meta({ description })

/** A TCP port, or one that the lock file picks and keeps. */
export const randomPort = z.union([port.min(1), z.literal('random')], {
  error: 'write a port from 1 to 65535, or "random"',
})

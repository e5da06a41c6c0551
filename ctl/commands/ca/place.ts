import { randomBytes } from 'node:crypto'
import { join, resolve } from 'node:path'
import { gatewayNames } from '../../../compiler/ir/names.ts'
import { type Authority, makePrivate, requireAuthority, type Source } from '../../../host/ca/authority.ts'
import type { Host } from '../../../host/host.ts'
import { takeLock } from '../../../host/lock.ts'
import { type AuthorityRequest, authoritySchema } from '../../../schemas/deploy/authority.ts'
import { failure, usageFailure } from '../../failure.ts'
import type { Invocation } from '../../invocation.ts'
import { xdgStateFolder } from '../../socket-paths.ts'
import { converted, namedPrefix, requireRoot } from '../host/deployment.ts'

/** Which CA a command is about. */
export type CaPlace = {
  readonly kind: 'host' | 'own'
  /** Of the root and its key. */
  readonly directory: string
  /** Of what others may read. */
  readonly published: string
  /** What the applied spec asks of it; absent: nothing does. */
  readonly request: AuthorityRequest | undefined
}

/** @throws Failure USAGE, NOT_ROOT, INVALID_MANIFEST */
export function caPlace(invocation: Invocation, host: Host, command: string, requestFile?: string): CaPlace {
  const { text, flag, env } = invocation
  const asked = text('directory')
  if (flag('dev') && asked !== undefined)
    throw usageFailure('--dev has a directory of its own', 'leave out one of the two')
  const state = flag('dev') ? xdgStateFolder(env) : undefined
  if (flag('dev') && state === undefined)
    throw usageFailure('--dev: this user has no home directory', 'name a directory: --directory DIR')
  const own = asked === undefined ? state && join(state, 'ca') : resolve(asked)
  if (own !== undefined) {
    const request = requestFile === undefined ? undefined : readRequest(host, resolve(requestFile))
    return { kind: 'own', directory: own, published: own, request }
  }
  requireRoot(invocation, command)
  const names = gatewayNames(namedPrefix(invocation).replace(/^gate-?/, '') || undefined)
  const request = readRequest(host, requestFile === undefined ? names.caRequest : resolve(requestFile))
  const { directory = names.caDirectory, published = names.certificatesDirectory } = request ?? {}
  return { kind: 'host', directory, published, request }
}

/** @throws Failure INVALID_MANIFEST */
function readRequest(host: Host, file: string): AuthorityRequest | undefined {
  const text = host.read(file)
  if (text === undefined) return undefined
  try {
    const read = authoritySchema.safeParse(JSON.parse(text))
    if (read.success) return read.data
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw failure('INVALID_MANIFEST', `${file} is not what the compiler wrote`, { hint: 'run: gatectl apply' })
}

const WAIT_MS = 30_000

/** Does work on a CA, one program at a time. */
export async function onAuthority<T>(
  host: Host,
  { directory }: CaPlace,
  command: string,
  work: () => Promise<T>,
): Promise<T> {
  return await converted(async () => {
    makePrivate(host, directory)
    const lock = await takeLock(`${directory}/lock`, `gatectl ${command}, process ${process.pid}`, WAIT_MS)
    try {
      return await work()
    } finally {
      await lock.release()
    }
  })
}

/** @throws HostError NO_CA, BAD_RECORD */
export const authorityAt = (host: Host, { directory }: CaPlace): Authority => requireAuthority(host, directory)

/** The clock and the randomness of this machine. */
export const source = (): Source => ({ nowMs: Date.now(), random: randomBytes })

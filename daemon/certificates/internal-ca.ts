import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '../../system/error-code.ts'
import { createRenewal } from './renewal.ts'
import type { Source, SourceParts } from './source.ts'

const NAMELESS = 'tls.internal_ca has no name to certify: set tls.names, or server.external_url'

/**
 * A certificate of the CA of this host, which is signed here by the issuer that `gatectl apply` left: short-lived, in
 * memory alone, made anew at each start and when there is another issuer.
 * @param settings names and addresses of the certificate
 * @param folder of `issuer.pem` and `issuer.key`
 */
export function internalCaSource(
  { names }: { readonly names: readonly string[] },
  folder: string,
  parts: SourceParts,
): Source {
  const issuer = () => ({
    cert: readFileSync(join(folder, 'issuer.pem'), 'utf8'),
    key: readFileSync(join(folder, 'issuer.key'), 'utf8'),
  })
  const renewal = createRenewal(
    {
      source: 'internal-ca',
      names,
      origin: () => fingerprint(join(folder, 'issuer.pem')),
      path: undefined,
      isOfOwnClock: true,
      load: () => ({ pair: undefined, meta: undefined }),
      save: () => {},
      async obtain() {
        if (names.length === 0) throw new Error(NAMELESS)
        // what signs takes memory, and is needed once in days
        const { issueLeaf } = await import('../../pki/ca/leaf.ts')
        const { cert, key } = await issueLeaf(read(issuer, folder), names, parts.now(), (count) => randomBytes(count))
        return { cert, key }
      },
    },
    parts,
  )
  return {
    identities: () => [renewal.identity()].filter((identity) => identity !== undefined),
    status: () => [renewal.status()],
    check: renewal.check,
    async renew(name, signal) {
      if (name !== renewal.name) return false
      await renewal.renew(signal)
      return true
    },
    close: () => {},
  }
}

/** @throws Error that says what to do */
function read<T>(issuer: () => T, folder: string): T {
  try {
    return issuer()
  } catch (error) {
    if (codeOf(error) === '') throw error
    throw new Error(`the CA of this host is not in ${folder} (${codeOf(error)}): run gatectl apply as root`, {
      cause: error,
    })
  }
}

/** Of the issuer's file; empty when there is none. */
function fingerprint(file: string): string {
  try {
    return createHash('sha256').update(readFileSync(file)).digest('hex')
  } catch {
    return ''
  }
}

import { makeRoot, readAuthority as readFacts } from '../../pki/ca/authority.ts'
import { isPermitted } from '../../pki/ca/constraints.ts'
import { certificatesIn, isSignedBy, matchesKey, type PemCertificate } from '../../pki/certificate.ts'
import type { AuthorityRequest } from '../../schemas/deploy/authority.ts'
import { canonicalHost } from '../../schemas/words/address.ts'
import type { Host, HostView } from '../host.ts'
import { HostError } from '../problem.ts'
import { type Authority, readAuthority, type Source, writeBefore, writePair } from './authority.ts'

const DAY_MS = 86_400_000
/** Before its end, a root has a successor that new clients learn; a year later, the successor signs. */
const NEXT_BEFORE_MS = 730 * DAY_MS
const ROLL_BEFORE_MS = 365 * DAY_MS
/** How long clients have to learn it: a clock that is wrong for a day rolls nothing. */
const KNOWN_AFTER_MS = 180 * DAY_MS

/** Whether something that a deployment uses has to be made anew, and why; undefined: it is good. */
export function whyRenew(
  found: { readonly cert: string | undefined; readonly key: string | undefined; readonly names?: readonly string[] },
  { root, issued }: Authority,
  nowMs: number,
): string | undefined {
  const [first] = certificatesIn(found.cert ?? '')
  if (first === undefined || found.key === undefined) return 'there is none'
  if (!matchesKey(first.pem, found.key)) return 'its key is another one'
  if (!isSignedBy(first.pem, root.cert)) return 'it is by another CA'
  if (issued.some(({ serial, revokedMs }) => serial === first.serial && revokedMs !== undefined)) return 'it is revoked'
  if (found.names !== undefined && !isSameSet(found.names, first.names)) return 'its names are others'
  return isDue(first, nowMs) ? 'a third of its life is left' : undefined
}

/** When a third of its life is left; also of one from the future, since the clock was wrong then or is now. */
function isDue({ fromMs, toMs }: Pick<PemCertificate, 'fromMs' | 'toMs'>, nowMs: number): boolean {
  return nowMs >= toMs - (toMs - fromMs) / 3 || nowMs < fromMs
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  const [one, other] = [new Set(a.map(canonicalHost)), new Set(b.map(canonicalHost))]
  return one.size === other.size && [...one].every((name) => other.has(name))
}

/**
 * Gives a root its successor in time, and puts the successor in its place a year later.
 * @param say told of what was done
 */
export async function rollRoot(
  host: Host,
  authority: Authority,
  label: string,
  { nowMs, random }: Source,
  say: (what: string) => void,
): Promise<Authority> {
  const { directory, root, next, before } = authority
  const { fromMs, toMs, permitted } = readFacts(root.cert)
  if (nowMs < fromMs || nowMs >= toMs) throw outOfTime(directory, { fromMs, toMs }, nowMs)
  if (next === undefined && nowMs >= toMs - NEXT_BEFORE_MS) {
    writePair(host, directory, 'next', await makeRoot(label, permitted, nowMs, random))
    say('made the root that follows: clients learn it by the installer')
    return rereadAuthority(host, directory)
  }
  if (next === undefined || nowMs < toMs - ROLL_BEFORE_MS) return authority
  if (nowMs < readFacts(next.cert).fromMs + KNOWN_AFTER_MS) return authority
  writeBefore(host, directory, `${root.cert}${before}`)
  writePair(host, directory, 'root', next)
  for (const name of ['next.crt', 'next.key']) host.remove(`${directory}/${name}`)
  say('the root that follows signs from now on')
  return rereadAuthority(host, directory)
}

/** Nothing is made anew by itself then: it would be the clock that is wrong, and every client would have to learn it. */
function outOfTime(directory: string, { fromMs, toMs }: { fromMs: number; toMs: number }, nowMs: number): HostError {
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10)
  const message = `the root in ${directory} counts from ${day(fromMs)} to ${day(toMs)}, and the clock says ${day(nowMs)}`
  const hint = 'set the clock; where it is right, make another root: gatectl ca init --replace'
  return new HostError({ code: 'CA_REFUSES', message, hint })
}

function rereadAuthority(host: HostView, directory: string): Authority {
  const read = readAuthority(host, directory)
  if (read === undefined) throw new Error(`the CA that was just written is not in ${directory}`)
  return read
}

/** @throws HostError CA_REFUSES with every name that the root may not sign for */
export function requireCovered(
  { root, directory }: Authority,
  { permitted }: Pick<AuthorityRequest, 'permitted'>,
): void {
  const facts = readFacts(root.cert)
  const outside = [...permitted.domains, ...permitted.addresses].filter((name) => !isPermitted(name, facts.permitted))
  if (outside.length === 0) return
  const message = `the CA in ${directory} may not sign for ${outside.join(', ')}: its root was made for other names`
  const hint = 'make another root: gatectl ca init --replace; every client then needs the installer again'
  throw new HostError({ code: 'CA_REFUSES', message, hint })
}

import { resolve } from 'node:path'
import { createAuthority, readAuthority } from '../../../host/ca/authority.ts'
import { issueByHand } from '../../../host/ca/by-hand.ts'
import { issuedDirectory, publish } from '../../../host/ca/keep.ts'
import { type Host, localHost } from '../../../host/host.ts'
import { usageFailure } from '../../failure.ts'
import type { Invocation, Run } from '../../invocation.ts'
import { wantedOf } from './init.ts'
import { authorityAt, type CaPlace, caPlace, onAuthority, source } from './place.ts'

const DAY_MS = 86_400_000
/** What browsers accept at most of public CAs. */
const DAYS_MAX = 397
const DEV_DAYS = 90

export const run: Run = (invocation) => issueCertificate(invocation, localHost())

async function issueCertificate(invocation: Invocation, host: Host): Promise<number> {
  const { json, print, printJson, note, flag } = invocation
  const place = caPlace(invocation, host, 'ca issue')
  const names = namesOf(invocation)
  const days = daysOf(invocation)
  const issued = await onAuthority(host, place, 'ca issue', async () => {
    if (flag('dev')) await ensureOwn(invocation, host, place)
    const authority = authorityAt(host, place)
    const asked = { names, place: `${directoryOf(invocation, place)}/${fileName(names[0] ?? '')}` }
    const made = await issueByHand(
      host,
      authority,
      days === undefined ? asked : { ...asked, lifeMs: days * DAY_MS },
      source(),
    )
    await publish(host, authorityAt(host, place), place, Date.now())
    return made
  })
  if (json) {
    printJson(issued)
    return 0
  }
  note(`issued for ${names.join(', ')}, until ${new Date(issued.toMs).toISOString().slice(0, 10)}`)
  print(`TLS_CERT_PATH=${issued.cert}`)
  print(`TLS_KEY_PATH=${issued.key}`)
  note(`clients are to trust ${place.published}/ca.crt`)
  return 0
}

/** A developer's CA is made when it is first needed. */
async function ensureOwn(invocation: Invocation, host: Host, place: CaPlace): Promise<void> {
  if (readAuthority(host, place.directory) !== undefined) return
  await createAuthority(host, place.directory, wantedOf(invocation, place), source())
  invocation.note(`made a CA in ${place.directory}`)
}

/** @throws Failure USAGE */
function namesOf({ arguments: [name], texts, flag }: Invocation): string[] {
  const also = texts('also').map((text) => text.toLowerCase())
  if (name !== undefined) return [...new Set([name.toLowerCase(), ...also])]
  if (flag('dev')) return [...new Set(['localhost', '127.0.0.1', '::1', ...also])]
  throw usageFailure('gatectl ca issue: NAME is missing', 'such as: gatectl ca issue chat.ai.example.org')
}

function daysOf({ text, flag }: Invocation): number | undefined {
  const asked = text('days')
  if (asked === undefined) return flag('dev') ? DEV_DAYS : undefined
  const days = Number(asked)
  if (/^\d{1,3}$/.test(asked) && days >= 1 && days <= DAYS_MAX) return days
  throw usageFailure('--days: give a number of days', `from 1 to ${DAYS_MAX}`)
}

function directoryOf({ text }: Invocation, { published }: CaPlace): string {
  const out = text('out')
  return out === undefined ? issuedDirectory(published) : resolve(out)
}

/** A wildcard and an address of IPv6 as names of files. */
const fileName = (name: string) => name.replace(/^\*/, '_').replaceAll(/[^a-z0-9._-]/g, '-')

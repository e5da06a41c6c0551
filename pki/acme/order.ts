import { setTimeout as sleep } from 'node:timers/promises'
import { type AcmeClient, newKey, signingRequest } from './client.ts'
import { AcmeProblem, readProblem } from './problem.ts'

/** What a challenge is answered with, and for which name. */
export type Challenge = {
  /** Lower case, without `*.`. */
  readonly name: string
  readonly token: string
  /** The key authorization; for dns-01 the value of the TXT record. */
  readonly proof: string
}

/** Makes the answer to challenges of one type reachable for the CA. */
export type Responder = {
  readonly type: 'tls-alpn-01' | 'http-01' | 'dns-01'
  /** @returns how to take the answer back, which never rejects @throws Error that says what failed */
  readonly present: (challenge: Challenge, signal: AbortSignal) => Promise<() => Promise<void>>
}

export type Ordered = {
  /** PEM, leaf first. */
  readonly cert: string
  /** PEM of PKCS #8. */
  readonly key: string
}

/** Between two looks at what the CA is doing, unless it says how long to wait. */
const FIRST_LOOK_MS = 250
const LAST_LOOK_MS = 5_000
/** The longest wait between two looks that a CA may ask for. */
const LONGEST_LOOK_MS = 30_000
/** For one state of an order or authorization. */
const STATE_DEADLINE_MS = 300_000

/**
 * Orders one certificate, from the order to the chain: answers the challenges, waits for the CA, takes the answers
 * back, also when it fails.
 * @param names DNS names, lower case, wildcards as `*.example.org`
 * @param replaces certID of the certificate before, when the CA has renewal information (RFC 9773)
 * @throws AcmeProblem for what the CA refuses, Error for what could not be asked or presented
 */
export async function orderCertificate(
  client: AcmeClient,
  responder: Responder,
  wanted: {
    readonly names: readonly string[]
    readonly key: 'ecdsa' | 'rsa'
    readonly replaces: string | undefined
  },
  signal: AbortSignal,
): Promise<Ordered> {
  const order = await newOrder(client, wanted.names, wanted.replaces)
  await proveNames(client, responder, order.authorizations, signal)
  const ready = await settled(client, () => client.look(order), ['ready'], signal)
  const key = await newKey(wanted.key)
  const finalized = await client.finalize(ready, await signingRequest(wanted.names, key))
  const valid = await settled(client, () => client.look(finalized), ['valid'], signal)
  return { cert: await client.certificate(valid), key }
}

/** A CA that knows of no replacement, or of another one, gets an order that replaces nothing. */
async function newOrder(client: AcmeClient, names: readonly string[], replaces: string | undefined) {
  try {
    return await client.order(names, replaces)
  } catch (error) {
    const isAboutReplacing = error instanceof AcmeProblem && ['alreadyReplaced', 'malformed'].includes(error.type)
    if (replaces === undefined || !isAboutReplacing) throw error
    return client.order(names, undefined)
  }
}

async function proveNames(
  client: AcmeClient,
  responder: Responder,
  authorizations: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const undo: (() => Promise<void>)[] = []
  try {
    const pending = []
    for (const at of authorizations) {
      const authorization = await client.authorization(at)
      if (authorization.status === 'valid') continue // the CA still knows it from an order before
      const name = authorization.identifier.value.toLowerCase()
      const challenge = authorization.challenges.find(({ type }) => type === responder.type)
      if (challenge === undefined) throw new Error(noChallenge(name, responder.type, authorization.challenges))
      const proof = await client.proof(challenge)
      undo.push(await responder.present({ name, token: challenge.token, proof }, signal))
      pending.push({ at, challenge })
    }
    for (const { challenge } of pending) await client.answer(challenge)
    for (const { at } of pending) await settled(client, () => client.authorization(at), ['valid'], signal)
  } finally {
    await Promise.all(undo.map((takeBack) => takeBack()))
  }
}

function noChallenge(name: string, type: string, offered: readonly { readonly type: string }[]): string {
  const types = offered.map((challenge) => challenge.type).join(', ')
  return `the CA does not offer ${type} for ${name}, but ${types}: set letsencrypt.challenge to one of these`
}

/** What an order and an authorization have in common. */
type Stateful = {
  readonly status: string
  readonly error?: object
  readonly challenges?: readonly { readonly error?: object }[]
}

/** Looks until the CA has come to a state. @throws AcmeProblem when that is another one, or takes too long */
async function settled<T extends Stateful>(
  client: AcmeClient,
  look: () => Promise<T>,
  wanted: readonly string[],
  signal: AbortSignal,
): Promise<T> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(STATE_DEADLINE_MS)])
  for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(waitMs * 2, LAST_LOOK_MS)) {
    const found = await look()
    if (wanted.includes(found.status)) return found
    if (found.status !== 'pending' && found.status !== 'processing') throw refusal(found)
    const askedMs = client.pollAfterMs() ?? 0
    try {
      await sleep(Math.max(waitMs, Math.min(askedMs, LONGEST_LOOK_MS)), undefined, { signal: deadline })
    } catch (error) {
      if (signal.aborted) throw error
      throw new AcmeProblem(`the CA did not decide within ${STATE_DEADLINE_MS / 60_000} minutes`, '', 0)
    }
  }
}

/** Why something became invalid: in the object itself, or in the challenge that failed. */
function refusal({ status, error, challenges = [] }: Stateful): AcmeProblem {
  const document = error ?? challenges.find((challenge) => challenge.error !== undefined)?.error
  const { type, words } = readProblem(document)
  return new AcmeProblem(words === '' ? `the CA says ${status}, and not why` : words, type, 0)
}

import { Client, crypto } from 'acme-client'
import { AcmeProblem, parsed, problemOf, retryAfterMs } from './problem.ts'
import type { Answered, Send } from './request.ts'

/** How a CA is reached, and who asks it. */
export type AcmeAccount = {
  /** URL of the CA's directory. */
  readonly directory: string
  /** PEM of the only CAs that its HTTPS certificate may come from; undefined: those that Node knows. */
  readonly ca: string | undefined
  /** PEM of an EC P-256 key. */
  readonly key: string
  /** The account's URL; undefined: it is registered first. */
  readonly url: string | undefined
  /** External account binding, where the CA asks for one. */
  readonly eab: { readonly kid: string; readonly hmac: string } | undefined
}

export type AcmeClient = ReturnType<typeof openAcmeClient>

/**
 * The one user of the package acme-client. The package signs, keeps nonces and asks again after badNonce; each of its
 * HTTP requests goes through `send`, so that every wait has an end, and what a CA says of its limits is heeded.
 * @param now Unix milliseconds
 */
export function openAcmeClient(account: AcmeAccount, send: Send, now: () => number, signal: AbortSignal) {
  const { directory, ca, key, url, eab } = account
  const client = new Client({
    directoryUrl: directory,
    accountKey: key,
    ...(url !== undefined && { accountUrl: url }),
    ...(eab !== undefined && { externalAccountBinding: { kid: eab.kid, hmacKey: eab.hmac } }),
  })
  let pollAfterMs: number | undefined

  /** In the place of the package's transport, which waits for as long as a CA says and has no limits. */
  async function request(target: string, method: string, { data }: { readonly data?: unknown } = {}) {
    const body = data === undefined ? {} : { body: JSON.stringify(data) }
    const headers = { 'content-type': 'application/jose+json' }
    const asked = { method: method === 'post' ? 'POST' : method === 'head' ? 'HEAD' : 'GET', url: target } as const
    const answered = await send({ ...asked, headers, ...body, ca }, signal)
    pollAfterMs = retryAfterMs(answered.headers['retry-after'], now())
    const content = bodyOf(answered)
    if (answered.status >= 400 && !isBadNonce(answered.status, content)) throw problemOf(answered, now())
    return { status: answered.status, headers: answered.headers, data: content }
  }
  Object.assign(transportOf(client), { request })

  return {
    /** Registers the account, or finds the one that this key has. @returns its URL @throws AcmeProblem */
    async register(email: string | undefined): Promise<string> {
      const contact = email === undefined ? {} : { contact: [`mailto:${email}`] }
      await client.createAccount({ termsOfServiceAgreed: true, ...contact })
      return client.getAccountUrl()
    },
    /** @param replaces certID of the certificate before (RFC 9773 section 5) @throws AcmeProblem */
    order: (names: readonly string[], replaces: string | undefined) =>
      client.createOrder({
        identifiers: names.map((value) => ({ type: 'dns', value })),
        ...(replaces !== undefined && { replaces }),
      }),
    /** How an order stands now. @throws AcmeProblem */
    look: client.getOrder.bind(client),
    /** @throws AcmeProblem */
    async authorization(at: string) {
      const [found] = await client.getAuthorizations({ ...noOrder(), authorizations: [at] })
      if (found === undefined) throw new AcmeProblem('the CA has no authorization for its own order', '', 0)
      return found
    },
    /** What proves that this account answers a challenge: the text itself, or for dns-01 the value of the record. */
    proof: client.getChallengeKeyAuthorization.bind(client),
    /** Tells the CA that it may look now. @throws AcmeProblem */
    answer: client.completeChallenge.bind(client),
    /** @param csr PEM @throws AcmeProblem */
    finalize: client.finalizeOrder.bind(client),
    /** @returns PEM, leaf first @throws AcmeProblem */
    certificate: client.getCertificate.bind(client),
    /** How long the CA's last answer asked to wait; undefined: it did not. */
    pollAfterMs: () => pollAfterMs,
  }
}

/** A new private key, PEM of PKCS #8. */
export async function newKey(kind: 'ecdsa' | 'rsa'): Promise<string> {
  const key = kind === 'ecdsa' ? await crypto.createPrivateEcdsaKey('P-256') : await crypto.createPrivateRsaKey(2_048)
  return key.toString()
}

/** A request for a certificate of these names, without a common name. @returns PEM */
export async function signingRequest(names: readonly string[], key: string): Promise<string> {
  const [, csr] = await crypto.createCsr({ altNames: [...names] }, key)
  return csr.toString()
}

/** The certificate that answers a tls-alpn-01 challenge. @returns PEM @see RFC 8737 section 3 */
export async function challengeCertificate(name: string, proof: string, key: string): Promise<string> {
  // of the authorization the package reads the name alone
  const authorization = { url: '', status: 'pending', identifier: { type: 'dns', value: name } } as const
  const [, certificate] = await crypto.createAlpnCertificate({ ...authorization, challenges: [] }, proof, key)
  return certificate.toString()
}

/** What the package's types ask of an order whose authorizations are all that is read. */
const noOrder = () => ({ url: '', status: 'pending' as const, identifiers: [], finalize: '' })

/** The package's transport, which its types do not show. @throws Error for a version that has none */
function transportOf(client: Client): object {
  const http: unknown = Reflect.get(client, 'http')
  if (typeof http !== 'object' || http === null || !('request' in http))
    throw new Error('acme-client has no transport to replace: use the version of package.json')
  return http
}

function bodyOf({ headers, text }: Answered): unknown {
  return /\bjson\b/.test(headers['content-type'] ?? '') ? parsed(text) : text
}

const isBadNonce = (status: number, content: unknown): boolean =>
  status === 400 &&
  typeof content === 'object' &&
  content !== null &&
  'type' in content &&
  content.type === 'urn:ietf:params:acme:error:badNonce'

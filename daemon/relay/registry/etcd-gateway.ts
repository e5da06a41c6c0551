import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { z } from 'zod'
import { codeOf } from '../../../system/error-code.ts'

export type EtcdAccess = {
  /** `http://` or `https://`, without path; asked in turn, the one that answered last first. */
  readonly endpoints: readonly string[]
  /** PEM of the only CAs that are believed; absent: those that Node knows. */
  readonly ca?: string | undefined
  /** PEM of a client certificate and its key. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly user?: string | undefined
  readonly password?: string | undefined
}

/** etcd's API as JSON over HTTP: keys and values in base64, 64-bit numbers as text. */
export type EtcdGateway = {
  /** @param path such as `kv/txn` @throws Error with the endpoint and the reason, when no endpoint answers in time */
  call(path: string, body: object): Promise<unknown>
  /** Follows a stream of answers, one line each, until it ends. @throws Error as above */
  follow(path: string, body: object, onAnswer: (answer: unknown) => void, signal: AbortSignal): Promise<void>
  close(): void
}

const CALL_DEADLINE_MS = 3_000
/** A page of keys has some hundred kB. */
const MAX_ANSWER_BYTES = 16 * 2 ** 20
/** One event of a watch has the changes of one commit. */
const MAX_LINE_BYTES = 4 * 2 ** 20

const token = z.object({ token: z.string() })
const fault = z.object({ error: z.string().optional(), message: z.string().optional() })

/** @see https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/ */
export function openEtcdGateway(access: EtcdAccess): EtcdGateway {
  const trust = { ca: access.ca, cert: access.cert, key: access.key }
  const agents = {
    http: new HttpAgent({ keepAlive: true, maxSockets: 16 }),
    https: new HttpsAgent({ keepAlive: true, maxSockets: 16, ...trust }),
  }
  let endpoints = [...access.endpoints]
  let session: string | undefined

  async function open(endpoint: string, path: string, body: object, signal: AbortSignal): Promise<IncomingMessage> {
    const url = new URL(`/v3/${path}`, endpoint)
    const text = JSON.stringify(body)
    const isPlain = url.protocol === 'http:'
    const headers = { 'content-type': 'application/json', ...(session !== undefined && { authorization: session }) }
    const agent = isPlain ? agents.http : agents.https
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const sent = (isPlain ? httpRequest : httpsRequest)(url, { method: 'POST', headers, agent, signal }, resolve)
    sent.on('error', reject)
    sent.end(text)
    return await promise
  }

  async function ask(endpoint: string, path: string, body: object): Promise<unknown> {
    const response = await open(endpoint, path, body, AbortSignal.timeout(CALL_DEADLINE_MS))
    const text = await wholeText(response)
    if (response.statusCode === 200) return JSON.parse(text)
    throw new EtcdRefusal(response.statusCode ?? 0, reasonOf(text))
  }

  async function signIn(endpoint: string): Promise<void> {
    const { user, password } = access
    if (user === undefined) return
    session = undefined
    session = token.parse(await ask(endpoint, 'auth/authenticate', { name: user, password: password ?? '' })).token
  }

  /** One endpoint after the other. What a refused or broken one was asked is asked again: commits have conditions. */
  async function atAny<T>(work: (endpoint: string) => Promise<T>): Promise<T> {
    const problems: string[] = []
    for (const endpoint of endpoints) {
      try {
        if (session === undefined) await signIn(endpoint)
        const answer = await work(endpoint).catch(async (error: unknown) => {
          if (!(error instanceof EtcdRefusal) || !error.isAboutSession || access.user === undefined) throw error
          await signIn(endpoint)
          return await work(endpoint)
        })
        endpoints = [endpoint, ...endpoints.filter((other) => other !== endpoint)]
        return answer
      } catch (error) {
        problems.push(`${endpoint}: ${faultOf(error)}`)
      }
    }
    throw new Error(problems.join('; '))
  }

  return {
    call: (path, body) => atAny((endpoint) => ask(endpoint, path, body)),
    async follow(path, body, onAnswer, signal) {
      const response = await atAny(async (endpoint) => {
        const opened = await open(endpoint, path, body, signal)
        if (opened.statusCode === 200) return opened
        throw new EtcdRefusal(opened.statusCode ?? 0, reasonOf(await wholeText(opened)))
      })
      for await (const line of linesOf(response)) onAnswer(JSON.parse(line))
    },
    close() {
      agents.http.destroy()
      agents.https.destroy()
    },
  }
}

/** Where users are on, etcd takes no certificate with a Common Name by its JSON gateway: it could not go by it. */
const NAMELESS =
  'where etcd has users and asks for client certificates, the one in registry.cert_file must have no Common Name (CN)'

class EtcdRefusal extends Error {
  readonly isAboutSession: boolean
  constructor(status: number, reason: string) {
    super(`status ${status}, ${reason}`)
    this.isAboutSession = status === 401 || /invalid auth token/.test(reason)
  }
}

const UNTRUSTED: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** Why a connection failed; the words of OpenSSL name no key of the configuration. */
function faultOf(error: unknown): string {
  const code = codeOf(error)
  if (UNTRUSTED.has(code)) return 'its certificate is from no trusted CA: set registry.ca_file to the CA that issued it'
  if (/ALERT_(?:BAD_CERTIFICATE|CERTIFICATE_REQUIRED|UNKNOWN_CA)/.test(code))
    return 'it wants a client certificate from its own CA: set registry.cert_file and registry.key_file'
  return error instanceof Error ? error.message : String(error)
}

function reasonOf(text: string): string {
  try {
    const { error, message } = fault.parse(JSON.parse(text))
    return (error ?? message ?? '').slice(0, 200)
  } catch {
    if (/^CommonName of client/.test(text)) return NAMELESS
    return 'not JSON: is this an etcd endpoint?'
  }
}

async function wholeText(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of response) {
    bytes += part.length
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`the answer is longer than ${MAX_ANSWER_BYTES} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  let held = ''
  response.setEncoding('utf8')
  for await (const part of response) {
    held += part
    const lines = held.split('\n')
    held = lines.pop() ?? ''
    if (held.length > MAX_LINE_BYTES) throw new Error(`a line of the watch is longer than ${MAX_LINE_BYTES} bytes`)
    for (const line of lines) if (line !== '') yield line
  }
}

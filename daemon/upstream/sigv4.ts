import { createHash, createHmac } from 'node:crypto'

/** Credentials of AWS. `sessionToken` belongs to temporary ones. */
type AwsKey = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string | null
}

/** What is signed. `path` has its query; `headers` are names in lower case and values. */
export type Signable = {
  readonly method: string
  readonly host: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

const ALGORITHM = 'AWS4-HMAC-SHA256'

/**
 * Signs a request with AWS Signature Version 4. @param scope where it goes @param nowMs Unix milliseconds
 * @returns the headers to send with it, names and values in turn
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signed(
  request: Signable,
  { accessKeyId, secretAccessKey, sessionToken }: AwsKey,
  { region, service }: { readonly region: string; readonly service: string },
  nowMs: number,
): string[] {
  const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const day = time.slice(0, 8)
  const added = { 'x-amz-date': time, ...(sessionToken !== null && { 'x-amz-security-token': sessionToken }) }
  const headers = Object.entries({ ...request.headers, host: request.host, ...added })
    .map(([name, value]) => [name, value.trim().replace(/ +/g, ' ')] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const names = headers.map(([name]) => name).join(';')
  const [path = '', query = ''] = request.path.split('?', 2)
  const canonical = [
    request.method,
    path.split('/').map(escaped).join('/'),
    canonicalQuery(query),
    ...headers.map(([name, value]) => `${name}:${value}`),
    '',
    names,
    hash(request.body),
  ].join('\n')
  const scope = `${day}/${region}/${service}/aws4_request`
  const text = [ALGORITHM, time, scope, hash(canonical)].join('\n')
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`)
  const signature = hmac(key, text).toString('hex')
  const authorization = `${ALGORITHM} Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`
  return [...Object.entries(added).flat(), 'authorization', authorization]
}

/** A key as it is configured: `ID:SECRET`, or `ID:SECRET:TOKEN`; null: it is another kind of key. */
export function awsKeyOf(text: string): AwsKey | null {
  const [, accessKeyId, secretAccessKey, sessionToken = null] =
    /^([A-Z0-9]{16,128}):([^:]+)(?::([^:]+))?$/.exec(text) ?? []
  if (accessKeyId === undefined || secretAccessKey === undefined) return null
  return { accessKeyId, secretAccessKey, sessionToken }
}

/** Region and service of a host such as `bedrock-runtime.us-east-1.amazonaws.com`. */
export function scopeOf(host: string): { readonly region: string; readonly service: string } {
  const [, endpoint = '', region = 'us-east-1'] =
    /^([a-z-]+)\.([a-z0-9-]+)\.(?:amazonaws\.com|api\.aws)/.exec(host) ?? []
  return { region, service: endpoint === 'bedrock-mantle' ? endpoint : 'bedrock' }
}

/** Services other than S3 escape what is escaped once more: ids of models have colons. */
function escaped(segment: string): string {
  return encodeURIComponent(segment).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

function canonicalQuery(query: string): string {
  return [...new URLSearchParams(query)]
    .map(([name, value]) => `${escaped(name)}=${escaped(value)}`)
    .sort()
    .join('&')
}

const hash = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex')
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

import type { DnsProvider } from '../challenges/dns.ts'
import { parsed } from '../problem.ts'
import type { Send } from '../request.ts'

export type CloudflareAccount = {
  /** Base URL without final slash, such as `https://api.cloudflare.com/client/v4`. */
  readonly api: string
  /** A token that may edit DNS of the zone, and read zones. */
  readonly token: string
  /** Id of the zone; looked for by the name of the record when absent. */
  readonly zone?: string | undefined
}

/** The lowest that Cloudflare takes. */
const TTL_S = 60
/** Code of "an identical record already exists". */
const IDENTICAL = 81_058
const MAX_WORDS = 300

/** What the API wraps every answer in. */
type Envelope = {
  readonly success: boolean
  readonly result: readonly { readonly id: string; readonly name: string }[]
  readonly codes: readonly number[]
  readonly words: string
}

/**
 * DNS zones at Cloudflare.
 * @see https://developers.cloudflare.com/api/resources/dns/subresources/records/
 */
export function cloudflare({ api, token, zone: known }: CloudflareAccount, send: Send): DnsProvider {
  async function call(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    signal: AbortSignal,
    body?: object,
  ): Promise<Envelope> {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const content = body === undefined ? {} : { body: JSON.stringify(body) }
    const { status, text } = await send({ method, url: `${api}${path}`, headers, ...content }, signal)
    return readEnvelope(status, parsed(text))
  }
  async function must(doing: string, answer: Promise<Envelope>): Promise<Envelope['result']> {
    const { success, result, words } = await answer
    if (!success) throw new Error(`Cloudflare, ${doing}: ${words}`)
    return result
  }

  /** The zone with the longest name that the record is in. */
  async function zoneOf(name: string, signal: AbortSignal): Promise<string> {
    if (known !== undefined) return known
    const labels = name.split('.')
    for (let from = 0; from < labels.length - 1; from++) {
      const zone = labels.slice(from).join('.')
      const [found] = await must('looking for the zone', call('GET', `/zones?name=${encodeURIComponent(zone)}`, signal))
      if (found !== undefined) return found.id
    }
    throw new Error(
      `Cloudflare: no zone of this token holds ${name}; give the token "Zone, Zone, Read" and "Zone, DNS, Edit"`,
    )
  }
  const records = (zone: string) => `/zones/${encodeURIComponent(zone)}/dns_records`

  return {
    async present(name, value, signal) {
      const zone = await zoneOf(name, signal)
      const record = { type: 'TXT', name, content: `"${value}"`, ttl: TTL_S }
      const made = call('POST', records(zone), signal, record)
      if ((await made).codes.includes(IDENTICAL)) return
      await must('making the record', made)
    },
    async remove(name, value, signal) {
      const zone = await zoneOf(name, signal)
      const query = `?type=TXT&name=${encodeURIComponent(name)}&content=${encodeURIComponent(`"${value}"`)}`
      for (const { id } of await must('looking for the record', call('GET', `${records(zone)}${query}`, signal)))
        await must('removing the record', call('DELETE', `${records(zone)}/${encodeURIComponent(id)}`, signal))
    },
  }
}

function readEnvelope(status: number, answer: unknown): Envelope {
  if (typeof answer !== 'object' || answer === null)
    return { success: false, result: [], codes: [], words: `status ${status}, and not JSON` }
  const { success, result, errors } = answer as Record<string, unknown>
  const all = Array.isArray(result) ? result : result === null || result === undefined ? [] : [result]
  const faults = Array.isArray(errors) ? errors.filter(isFault) : []
  const words = faults.map(({ code, message }) => `${message} (${code})`).join('; ')
  return {
    success: success === true && status < 400,
    result: all.filter(isNamed),
    codes: faults.map(({ code }) => code),
    words: words === '' ? `status ${status}` : words.slice(0, MAX_WORDS),
  }
}

const isNamed = (value: unknown): value is { id: string; name: string } =>
  typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string'

const isFault = (value: unknown): value is { code: number; message: string } =>
  typeof value === 'object' &&
  value !== null &&
  'code' in value &&
  typeof value.code === 'number' &&
  'message' in value &&
  typeof value.message === 'string'

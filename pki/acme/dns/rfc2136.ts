import { connect } from 'node:net'
import type { DnsProvider } from '../challenges/dns.ts'
import { type Change, encodeUpdate, numbers16 } from './message.ts'
import { sign, type TsigKey, verify } from './tsig.ts'

export type UpdateServer = {
  /** `host:port`, IPv6 in brackets. */
  readonly server: string
  readonly zone: string
  readonly key: TsigKey
}

/** The record is gone minutes after it came. */
const TTL_S = 60
const DEADLINE_MS = 15_000

/**
 * A name server that takes signed dynamic updates, over TCP: BIND, Knot, PowerDNS and others.
 * @param now Unix milliseconds
 * @param randomId a number of 16 bits
 * @see RFC 2136
 */
export function rfc2136({ server, zone, key }: UpdateServer, now: () => number, randomId: () => number): DnsProvider {
  async function update(kind: Change['kind'], name: string, value: string, signal: AbortSignal): Promise<void> {
    const id = randomId()
    try {
      const message = encodeUpdate(id, zone, { kind, name, value, ttl: TTL_S })
      const { signed, mac } = sign(message, key, Math.floor(now() / 1_000))
      const reply = await ask(server, signed, AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]))
      verify(reply, id, key, mac, Math.floor(now() / 1_000))
    } catch (error) {
      if (signal.aborted) throw signal.reason
      const why = error instanceof Error ? error.message : String(error)
      throw new Error(`DNS update of ${name} at ${server} (zone ${zone}): ${why}`, { cause: error })
    }
  }
  return {
    present: (name, value, signal) => update('add', name, value, signal),
    remove: (name, value, signal) => update('remove', name, value, signal),
  }
}

/** One message and its reply, each after its length. @see RFC 1035 section 4.2.2 */
function ask(server: string, message: Buffer, signal: AbortSignal): Promise<Buffer> {
  const { hostname, port } = new URL(`dns://${server}`)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 53), signal })
    let read = Buffer.alloc(0)
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the server closed the connection')))
    socket.on('data', (part) => {
      read = Buffer.concat([read, part])
      if (read.length < 2 || read.length < 2 + read.readUInt16BE(0)) return
      resolve(read.subarray(2, 2 + read.readUInt16BE(0)))
      socket.destroy()
    })
    socket.write(Buffer.concat([numbers16(message.length), message]))
  })
}

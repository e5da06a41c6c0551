import { type Hello, helloReader } from './client-hello.ts'

const PLAIN_HTTP = /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE|PRI) /
/** RFC 8446 section 5.1: the type of a record that holds a handshake. */
const CONTENT_HANDSHAKE = '\x16'

/** What a connection begins with where TLS is expected. */
export type Greeting =
  | { readonly kind: 'hello'; readonly hello: Hello }
  | { readonly kind: 'http' }
  | { readonly kind: 'refused'; readonly isTls: boolean }

/** Reads it chunk by chunk, for `readFirstBytes`: undefined until it is known; nothing of it is taken. */
export function greetingReader() {
  const feed = helloReader()
  let start = ''
  return (chunk: Buffer): { readonly found: Greeting; readonly used: number } | undefined => {
    if (start.length < 8) start += chunk.toString('latin1', 0, 8)
    const reading = feed(chunk)
    if (reading.kind === 'more') return undefined
    if (reading.kind === 'hello') return { found: reading, used: 0 }
    if (PLAIN_HTTP.test(start)) return { found: { kind: 'http' }, used: 0 }
    return { found: { kind: 'refused', isTls: start.startsWith(CONTENT_HANDSHAKE) }, used: 0 }
  }
}

import { spawn } from 'node:child_process'

/** What a TLS client of another maker says of a handshake; null where it says nothing of that. */
export type Handshake = {
  readonly version: string | null
  readonly cipher: string | null
  readonly group: string | null
  readonly alpn: string | null
  readonly isResumed: boolean
  /** All that it wrote. */
  readonly text: string
}

/**
 * Handshakes as OpenSSL does, sends `input` and reads until the end.
 * @param args of `openssl s_client`
 * @returns null when the server refused
 */
export async function opensslHandshake(url: string, args: readonly string[], input = ''): Promise<Handshake | null> {
  const { host } = new URL(url)
  const text = await talk('openssl', ['s_client', '-connect', host, ...args], input)
  const [, kind, version, cipher] = /^(New|Reused), ([^,]+), Cipher is (\S+)$/m.exec(text) ?? []
  if (version === undefined || cipher === undefined || cipher === '(NONE)') return null
  return {
    // "New, TLSv1.2" is what the cipher was made for
    version: /^\s+Protocol {2}: (\S+)$/m.exec(text)?.[1] ?? version,
    cipher,
    group: /^(?:Server|Peer) Temp Key: (?:ECDH, )?([^,\n]+)/m.exec(text)?.[1] ?? null,
    alpn: /^ALPN protocol: (.+)$/m.exec(text)?.[1] ?? null,
    isResumed: kind === 'Reused',
    text,
  }
}

/** The same as GnuTLS does. @param args of `gnutls-cli` */
export async function gnutlsHandshake(url: string, args: readonly string[], input = ''): Promise<Handshake | null> {
  const { hostname, port } = new URL(url)
  const text = await talk('gnutls-cli', ['--insecure', '--port', port, ...args, hostname], input)
  const [, version, , group, , cipher] =
    /^- Description: \((TLS[\d.]+)(-X\.509)?\)-\((?:ECDHE-)?([^)]+)\)-\(([^)]+)\)-\(([^)]+)\)$/m.exec(text) ?? []
  if (version === undefined) return null
  return {
    version,
    cipher: cipher ?? null,
    group: group ?? null,
    alpn: /^- Application protocol: (.+)$/m.exec(text)?.[1] ?? null,
    isResumed: /^\*\*\* This is a resumed session/m.test(text),
    text,
  }
}

/** Longer than a server may take to refuse a client that says nothing. */
const DEADLINE_MS = 20_000

function talk(program: string, args: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'pipe', timeout: DEADLINE_MS, killSignal: 'SIGKILL' })
    let text = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('latin1').on('data', (chunk: string) => {
        text += chunk
      })
    child.once('error', reject)
    child.stdin.on('error', () => {}) // it has ended already
    child.stdin.end(input)
    child.once('close', () => resolve(text))
  })
}

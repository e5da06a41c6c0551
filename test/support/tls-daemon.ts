import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { throwAwayCertificate } from './certificate.ts'
import { type Daemon, startDaemon, until } from './daemon.ts'

/** The names in the certificate of a daemon that is started here. */
export const TLS_NAMES = ['localhost', 'gate.test', '*.wild.test']

/** A gate-daemon that serves TLS beside plain HTTP; `https` is where, `certFile` and `keyFile` are the files that it reads. */
export type TlsDaemon = Daemon & { readonly https: string; readonly certFile: string; readonly keyFile: string }

/** Starts the real daemon with a certificate of its own on a free port of the loopback. @throws Error with its output */
export async function startTlsDaemon(env: Readonly<Record<string, string>> = {}): Promise<TlsDaemon> {
  const folder = mkdtempSync(join(tmpdir(), 'gate-tls-'))
  const { cert, key } = throwAwayCertificate(folder, TLS_NAMES)
  const gate = await startDaemon({
    GATE_TLS__HOST: '127.0.0.1',
    GATE_TLS__HTTPS_PORT: '0',
    GATE_TLS__FILES__CERT: cert,
    GATE_TLS__FILES__KEY: key,
    ...env,
  })
  const find = () => /https:\/\/127\.0\.0\.1:\d+/.exec(gate.output())?.[0]
  await until(() => find() !== undefined).catch(async () => {
    await gate.kill()
    throw new Error(`gate-daemon serves no TLS:\n${gate.output()}`)
  })
  return {
    ...gate,
    https: find() ?? '',
    certFile: cert,
    keyFile: key,
    remove: () => {
      gate.remove()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

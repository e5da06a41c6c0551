import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCertificates } from '../../daemon/certificates/certificates.ts'
import type { AcmeSettings } from '../../daemon/certificates/settings.ts'
import { send } from '../../pki/acme/request.ts'
import type { Log, LogFields } from '../../schemas/words/log.ts'
import { challengeListener } from '../support/challenge-listener.ts'
import { hasPebble, type Pebble, startPebble } from '../support/pebble.ts'

const _DAY_MS = 86_400_000

/** A gateway's certificates with clocks that a test moves. */
function gateway(acme: AcmeSettings, stateDirectory: string) {
  let [wallMs, steadyMs] = [0, 0]
  const lines: { level: string; message: string; fields: LogFields | undefined }[] = []
  const log: Log = (level, message, fields) => void lines.push({ level, message, fields })
  const certificates = createCertificates(
    { acme, tailscale: undefined, files: undefined, internalCa: undefined },
    {
      stateDirectory,
      now: () => Date.now() + wallMs,
      monotonic: () => performance.now() + steadyMs,
      random: () => 0.5,
      log,
      send,
      webhook: () => undefined,
    },
  )
  return {
    certificates,
    lines,
    /** Time goes by. */
    pass(ms: number): void {
      wallMs += ms
      steadyMs += ms
    },
    /** The clock is set. */
    jump(ms: number): void {
      wallMs += ms
    },
  }
}

describe.skipIf(!hasPebble)('Pebble', () => {
  let listener: Awaited<ReturnType<typeof challengeListener>>
  let pebble: Pebble
  let served: ReturnType<typeof gateway> | undefined
  const folders: string[] = []
  const folder = () => {
    const made = mkdtempSync(join(tmpdir(), 'gate-acme-'))
    folders.push(made)
    return made
  }
  const settings = (changes: Partial<AcmeSettings> = {}): AcmeSettings => ({
    directory: pebble.directory,
    caFile: pebble.caFile,
    email: 'admin@example.org',
    key: 'ecdsa',
    eab: undefined,
    names: ['ai.example.org'],
    challenge: 'tls-alpn-01',
    dns: undefined,
    resolvers: [],
    ...changes,
  })

  beforeAll(async () => {
    listener = await challengeListener(() => served?.certificates.identities)
    pebble = await startPebble(listener)
  })
  afterAll(async () => {
    listener.close()
    await pebble.remove()
    for (const made of folders) rmSync(made, { recursive: true })
  })

  test.each([
    { challenge: 'tls-alpn-01', key: 'ecdsa' },
    { challenge: 'http-01', key: 'rsa' },
  ] as const)('$challenge gets certificates with $key keys for several names', async ({ challenge, key }) => {
    const state = folder()
    served = gateway(settings({ challenge, key, names: ['ai.example.org', 'chat.example.org'] }), state)
    await served.certificates.check()
    expect(served.lines.filter(({ level }) => level === 'error')).toEqual([])
    const { certificates, account } = served.certificates.status()
    expect(certificates.map(({ served: now }) => now?.key)).toEqual(
      Array(2).fill(key === 'rsa' ? 'rsa 2048' : 'ecdsa P-256'),
    )
    expect(account?.url).toContain('https://localhost')
  })
})

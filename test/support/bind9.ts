import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { end, says } from './pebble.ts'
import { freePort, hasProgram } from './programs.ts'

/** Whether Debian's package bind9 is there. */
export const hasBind9 = hasProgram('named')

/** A name server for one zone, which takes updates that are signed by one key. */
export async function startBind9(zone: string, algorithm: 'hmac-sha256' | 'hmac-sha512') {
  const folder = mkdtempSync(join(tmpdir(), 'gate-bind9-'))
  const port = await freePort()
  const secret = randomBytes(32).toString('base64')
  const key = { name: 'gate-key', algorithm, secret }
  writeFileSync(
    join(folder, 'zone'),
    `$TTL 60
@ IN SOA ns.${zone}. admin.${zone}. 1 3600 600 86400 60
@ IN NS ns.${zone}.
ns IN A 127.0.0.1
_acme-challenge.cname IN CNAME proofs.${zone}.
`,
  )
  writeFileSync(
    join(folder, 'named.conf'),
    `options {
  directory "${folder}"; pid-file none; session-keyfile none;
  listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };
  recursion no; dnssec-validation no; empty-zones-enable no; managed-keys-directory "${folder}";
};
controls { };
key "${key.name}" { algorithm ${algorithm}; secret "${secret}"; };
zone "${zone}" { type primary; file "${folder}/zone"; allow-update { key "${key.name}"; }; };
`,
  )
  const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` }
  const named = spawn('named', ['-g', '-4', '-c', join(folder, 'named.conf')], { env })
  await says(named, / running$/m)
  return {
    /** As `letsencrypt.dns.server`, and as Pebble's name server. */
    server: `127.0.0.1:${port}`,
    key,
    stop: async () => {
      await end(named)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

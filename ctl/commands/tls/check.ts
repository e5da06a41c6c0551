import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { examine } from '../../../host/doctor/doctor.ts'
import { SITE_CHECKS } from '../../../host/tls/checks.ts'
import { siteOf } from '../../../host/tls/site.ts'
import { hostPattern, parseHostPort } from '../../../schemas/words/address.ts'
import { unreadable, usageFailure } from '../../failure.ts'
import type { Invocation, Run } from '../../invocation.ts'
import { findingJson } from '../../output/finding-lines.ts'
import { coloured, reportText } from '../../output/report-text.ts'

/** A gateway on another machine answers at once, or never. */
const DEADLINE_MS = 15_000

export const run: Run = async (invocation) => {
  const {
    arguments: [word = ''],
    texts,
    json,
    print,
    printJson,
    stdout,
  } = invocation
  const { host: name, port = 443 } = placeIn(word, 'NAME')
  const connect = invocation.text('connect')
  const at = connect === undefined ? { host: name, port } : placeIn(connect, '--connect')
  const ca = await Promise.all(texts('ca').map(readCa))
  const deadline = AbortSignal.timeout(DEADLINE_MS)
  const site = siteOf(
    {
      name,
      host: at.host,
      port: at.port ?? port,
      httpPort: httpPortOf(invocation),
      ca,
      directory: directoryOf(invocation),
      resolvers: [],
      now: Date.now,
    },
    deadline,
  )
  const report = await examine(SITE_CHECKS, site)
  const { counts, findings } = report
  if (json) printJson({ healthy: counts.fail === 0, counts, findings: findings.map(findingJson) })
  else print(reportText(report, coloured(stdout)))
  return counts.fail === 0 ? 0 : 3
}

/** `ai.example.org`, `[2001:db8::1]:8443`; people also paste URLs. @throws Failure */
function placeIn(word: string, what: string): ReturnType<typeof parseHostPort> {
  const url = word.includes('://') ? URL.parse(word) : null
  const bare = isIP(word) === 6 ? `[${word}]` : word
  const place = parseHostPort(url === null ? bare : url.host)
  if (hostPattern.test(place.host) && (place.port === undefined || (place.port > 0 && place.port < 65_536)))
    return place
  throw usageFailure(
    `${what}: "${word}" is not a host name or address`,
    'such as ai.example.org or ai.example.org:8443',
  )
}

async function readCa(file: string): Promise<string> {
  return await readFile(file, 'utf8').catch((error) => unreadable(file, error))
}

/** @throws Failure */
function httpPortOf({ text }: Invocation): number | undefined {
  const given = text('http-port')
  if (given === undefined) return 80
  if (!/^\d{1,5}$/.test(given) || Number(given) > 65_535)
    throw usageFailure(`--http-port ${given} is not a port`, 'write a number; 0 leaves plain HTTP out')
  return given === '0' ? undefined : Number(given)
}

/** @throws Failure */
function directoryOf({ text }: Invocation): string | undefined {
  const given = text('acme-directory')
  if (given === undefined || URL.parse(given)?.protocol === 'https:') return given
  throw usageFailure(
    `--acme-directory: "${given}" is not an https URL`,
    'such as https://ca.example.org/acme/directory',
  )
}

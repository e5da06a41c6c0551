import { randomBytes } from 'node:crypto'
import { Resolver } from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RelayConfig } from '../../../schemas/relay-config.ts'
import { codeOf } from '../../../system/error-code.ts'
import { openEtcdGateway } from '../registry/etcd-gateway.ts'
import { openEtcdStore } from '../registry/etcd-store.ts'
import { openFileStore } from '../registry/file-store.ts'
import { openRegistry } from '../registry/open-registry.ts'
import type { RecordStore } from '../registry/record-store.ts'
import type { Registry } from '../registry/registry.ts'
import type { Ground } from './ground.ts'
import { domainOf, rulesOf } from './settings.ts'

/** The registry that is configured. @throws Error that names a file that cannot be used */
export function openConfiguredRegistry({ config, stateDirectory, steady, log }: Ground): Registry {
  return openRegistry({
    store: openStore(config(), stateDirectory, log),
    rules: () => rulesOf(config()),
    lookUpTxt,
    now: steady,
    random: randomBytes,
    log,
  })
}

function openStore(config: RelayConfig, stateDirectory: string, log: Ground['log']): RecordStore {
  const { kind, path, endpoints, ca_file, cert_file, key_file, user, password } = config.registry
  if (kind === 'file') return openFileStore(path ?? join(stateDirectory, 'registry.json'))
  const [ca, cert, key] = [ca_file, cert_file, key_file].map((file) => file && textOf(file))
  return openEtcdStore({
    gateway: openEtcdGateway({ endpoints, ca, cert, key, user, password }),
    prefix: `/gate-relay/${domainOf(config)}/`,
    cacheFile: join(stateDirectory, 'registry-copy.json'),
    log,
    random: Math.random,
  })
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Error(`${file}: cannot be read (${codeOf(error)})`, { cause: error })
  }
}

const NOT_THERE = ['ENODATA', 'ENOTFOUND']

/** TXT records of a host, none where there are none. @throws Error when the DNS does not answer */
export async function lookUpTxt(host: string, signal: AbortSignal): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 })
  const stop = () => resolver.cancel()
  signal.addEventListener('abort', stop, { once: true })
  try {
    return (await resolver.resolveTxt(host)).map((parts) => parts.join(''))
  } catch (error) {
    if (NOT_THERE.includes(codeOf(error))) return []
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

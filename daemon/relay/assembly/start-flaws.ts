import type { LoadedRelay } from '../../../config/relay/load.ts'
import { certificatesIn } from '../../../pki/certificate.ts'
import type { ConfigProblem } from '../../../schemas/config/layers.ts'
import { keyPathText } from '../../../schemas/words/key-path.ts'
import { type Path, valueAt } from '../../../syntax/tree.ts'
import { pemReader } from '../../certificates/pem-file.ts'
import { toServed } from '../../certificates/served.ts'
import { dnsFlaw } from './dns.ts'

/** What a start would refuse or complain about in a configuration whose values are right: files, and what is missing. */
export async function startFlaws({ config, whereOf }: LoadedRelay): Promise<readonly ConfigProblem[]> {
  const problems: ConfigProblem[] = []
  const wrong = (code: 'UNREADABLE_FILE' | 'MISSING_KEY', path: Path, message: string) =>
    problems.push({ code, layer: 'runtime', where: whereOf(path), key: keyPathText(path), message })
  const readPem = pemReader()
  /** Text of the file that a key names; undefined: it names none, or one that cannot be used. */
  const textOf = async (path: Path): Promise<string | undefined> => {
    const file = valueAt(config, path)
    if (typeof file !== 'string') return undefined
    try {
      return await readPem(file)
    } catch (error) {
      wrong('UNREADABLE_FILE', path, `${keyPathText(path)}: ${wordsOf(error)}`)
      return undefined
    }
  }
  const pairOf = async (table: string) => {
    const [cert, key] = [await textOf([table, 'cert_file']), await textOf([table, 'key_file'])]
    return cert === undefined || key === undefined ? undefined : { cert, key }
  }
  const caOf = async (path: Path) => {
    const text = await textOf(path)
    if (text === undefined || certificatesIn(text).length > 0) return
    wrong('UNREADABLE_FILE', path, `${keyPathText(path)}: ${valueAt(config, path)} has no certificate in PEM`)
  }

  const { tls, registry } = config
  const pair = await pairOf('tls')
  const served = { cert: tls.cert_file ?? '', key: tls.key_file ?? '' }
  const flaw = pair && flawOf(() => toServed(pair, [], served))
  if (flaw !== undefined) wrong('UNREADABLE_FILE', ['tls', 'cert_file'], `tls.cert_file: ${flaw}`)
  if (tls.acme.enabled) await caOf(['tls', 'acme', 'ca_file'])
  if (registry.kind === 'etcd') {
    await caOf(['registry', 'ca_file'])
    await pairOf('registry')
  }
  const missing = dnsFlaw(config)
  if (missing !== undefined) wrong('MISSING_KEY', ['dns', 'provider'], missing)
  return problems
}

/** Why something cannot be done; undefined: it can. */
function flawOf(attempt: () => unknown): string | undefined {
  try {
    attempt()
    return undefined
  } catch (error) {
    return wordsOf(error)
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

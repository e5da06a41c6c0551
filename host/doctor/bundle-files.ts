import { parseDocument } from '../../compiler/parse/document.ts'
import { configSchema } from '../../schemas/config/config.ts'
import { keyTree, nodeAt } from '../../schemas/config/keys.ts'
import { namesSecret, REDACTED, redactText } from './redact.ts'

/** What a bundle is made of, as it was read: nothing in here is redacted yet. */
export type BundleFacts = {
  /** The doctor's own page and its JSON. */
  readonly page: string
  readonly json: string
  /** Program -> what it says about its version. */
  readonly versions: Readonly<Record<string, string>>
  /** A spec that does not compile may hold anything anywhere: only its keys go out. */
  readonly spec: { readonly text: string; readonly compiles: boolean } | undefined
  readonly declared: string | undefined
  readonly runtime: string | undefined
  readonly manifest: string | undefined
  /** Path on the host -> text. */
  readonly units: Readonly<Record<string, string>>
  /** Unit -> last lines of its journal. */
  readonly logs: Readonly<Record<string, string>>
  /** Every secret of this host that could be read. */
  readonly secrets: readonly string[]
}

export type BundleFile = { readonly path: string; readonly text: string }

/** The files of a bundle, every one without secrets. */
export function bundleFiles(facts: BundleFacts): BundleFile[] {
  const { page, json, versions, spec, declared, runtime, manifest, units, logs, secrets } = facts
  const clean = (text: string) => redactText(text, secrets)
  const tree = (text: string, show: Show) => treeText(text, (value, path) => clean(show(value, path)), clean)
  const versionLines = Object.entries(versions).map(([program, text]) => `== ${program}\n${text.trim()}\n`)
  const files: (BundleFile | undefined)[] = [
    { path: 'doctor.txt', text: clean(page) },
    { path: 'doctor.json', text: tree(json, (value) => value) },
    { path: 'versions.txt', text: clean(versionLines.join('\n')) },
    spec && { path: 'spec.json', text: tree(spec.text, spec.compiles ? specValue : hidden) },
    declared === undefined ? undefined : { path: 'declared.json', text: tree(declared, configValue) },
    runtime === undefined ? undefined : { path: 'runtime.json', text: tree(runtime, configValue) },
    manifest === undefined ? undefined : { path: 'manifest.json', text: clean(manifest) },
    ...Object.entries(units).map(([path, text]) => ({ path: `units${path}`, text: clean(withoutEnvironment(text)) })),
    ...Object.entries(logs).map(([unit, text]) => ({
      path: `logs/${unit.replaceAll('/', '-')}.txt`,
      text: clean(text),
    })),
  ]
  return files.flatMap((file) => (file === undefined ? [] : [{ ...file, path: clean(file.path) }]))
}

/** What may be said of a value at a path. */
type Show = (value: string, path: readonly string[]) => string

const hidden: Show = () => REDACTED

/** A compiled spec has secrets nowhere but in what it passes on to a container unread. */
const specValue: Show = (value, path) => {
  const isReference = ['file', 'credential', 'env'].includes(path.at(-1) ?? '')
  if (path.includes('environment') || path.includes('args') || path.includes('command')) return REDACTED
  return namesSecret(path.at(-1) ?? '') && !isReference ? REDACTED : value
}

const CONFIG_KEYS = keyTree(configSchema)

/** Only what is known not to be a secret. Unknown keys may be misspelled ones. */
const configValue: Show = (value, path) => {
  const node = nodeAt(
    CONFIG_KEYS,
    path.filter((step) => !/^\d+$/.test(step)),
  )
  const isInList = path[0] === 'models' && path[2] === 'targets' // a list is one value to the schema
  return isInList || (node !== undefined && node.meta.secret !== true) ? value : REDACTED
}

/** A document as JSON; one that cannot be read says nothing but that. */
function treeText(text: string, show: Show, clean: (key: string) => string): string {
  const read = parseDocument(text, 'document')
  if (!('value' in read)) return '"it cannot be parsed, so nothing of it is shown"\n'
  return `${JSON.stringify(shown(read.value, [], show, clean), null, 2)}\n`
}

function shown(value: unknown, path: readonly string[], show: Show, clean: (key: string) => string): unknown {
  if (typeof value === 'string') return show(value, path)
  if (Array.isArray(value)) return value.map((item, i) => shown(item, [...path, String(i)], show, clean))
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [clean(key), shown(item, [...path, key], show, clean)]),
    )
  // a pin or a number of a card is a secret, too
  return typeof value === 'number' && show(String(value), path) === REDACTED ? REDACTED : value
}

/**
 * Units pass on variables of containers, whose values Gate does not know. A directive goes on after a trailing
 * backslash.
 */
function withoutEnvironment(text: string): string {
  return text.replace(
    /^(\s*(?:Environment|SetCredential|SetCredentialEncrypted)\s*=\s*"?[\w.]*).*(?:(?<=\\)\n.*)*/gm,
    `$1${REDACTED}`,
  )
}

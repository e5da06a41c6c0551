import { ENGINE_TRAITS } from '../compiler/catalog/engines.ts'
import { PROFILES } from '../compiler/catalog/profiles.ts'
import { compile } from '../compiler/compile.ts'
import { parsePathText } from '../schemas/spec/path.ts'
import { TARGET_NAMES } from '../schemas/words/targets.ts'
import { goldenNames, goldenResult } from '../test/support/golden.ts'
import { harmlessSpec, WAYS, type Way } from '../test/support/harmless-spec.ts'
import { writtenIn } from '../test/support/spec-strings.ts'

/** The part of JSON Schema that z.toJSONSchema writes for the spec. */
export type JsonSchema = {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly examples?: readonly unknown[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly unit?: string
  readonly anyOf?: readonly JsonSchema[]
  readonly items?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: JsonSchema | boolean
}

/** docs/spec-reference.md: every key of the spec, then what profiles and engines decide. */
export function specReference(schema: JsonSchema): string {
  const shown = influences()
  const sections = Object.entries(schema.properties ?? {}).filter(([name]) => name !== '$schema')
  return `# Reference of the spec

Generated from \`schemas/spec/spec.ts\` and the compiler by \`npm run generate\`; [spec.md](spec.md) explains.

\`<name>\` is a name that you choose. **needed** keys have no default; for others without one, the description says what holds when
they are absent. The last column lists the files that have a line from this key in any spec of \`test/golden/\`; \`*\` stands for names.

${sections.map(([name, section]) => sectionText(name, section, shown)).join('\n\n')}

## Profiles

What \`gate.profile\` decides, in bytes where it is a size; each value has a key that overrides it.

${profileTable()}

## Engines

What \`backends.<name>.engine\` decides; \`listen\` names the preferred way first.

${engineTable()}
`
}

/** A key without its own lines has those of its group, such as `backends.<name>.gpu`. */
function shownIn(path: readonly string[], shown: ReadonlyMap<string, ReadonlySet<string>>): string {
  const parent = path.slice(0, -1)
  const isGroup = parent.length > 1 && parent.at(-1) !== '<name>'
  const kinds = shown.get(path.join('.')) ?? (isGroup ? shown.get(parent.join('.')) : undefined) ?? []
  return [...kinds]
    .sort()
    .map((kind) => `\`${kind}\``)
    .join(' ')
}

type Row = { readonly path: readonly string[]; readonly schema: JsonSchema; readonly needed: boolean }

function sectionText(name: string, section: JsonSchema, shown: ReadonlyMap<string, ReadonlySet<string>>): string {
  const rows = keysBelow([name], section).map(({ path, schema, needed }) => [
    `\`${path.join('.')}\``,
    typeText(schema),
    needed ? '**needed**' : schema.default === undefined ? '' : `\`${JSON.stringify(schema.default)}\``,
    [
      schema.description?.replaceAll('<', '&lt;') ?? '',
      ...(schema.examples ?? []).map((example) => `Example: \`${tomlText(example)}\`.`),
    ].join(' '),
    shownIn(path, shown),
  ])
  return `## ${name}\n\n${section.description ?? ''}\n\n${table(['key', 'type', 'default', '', 'shows in'], rows)}`
}

/** Leaves below a schema; maps are entered by \`<name>\`, lists of tables by \`[]\`. */
export function keysBelow(path: readonly string[], schema: JsonSchema, needed = false): Row[] {
  if (schema.properties !== undefined)
    return Object.entries(schema.properties).flatMap(([key, inner]) =>
      keysBelow([...path, key], inner, schema.required?.includes(key) === true && inner.default === undefined),
    )
  const entry = schema.additionalProperties
  if (typeof entry === 'object') {
    if (entry.properties !== undefined) return keysBelow([...path, '<name>'], entry)
    return [{ path: [...path, '<name>'], schema: { ...entry, description: schema.description ?? '' }, needed: false }]
  }
  if (schema.items?.properties !== undefined) return keysBelow([...path.slice(0, -1), `${path.at(-1)}[]`], schema.items)
  return [{ path, schema, needed }]
}

/** The type of a leaf, its choices in backticks. */
export function typeText(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(' ')
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``
  if (schema.anyOf !== undefined)
    return schema.anyOf.every(({ properties }) => properties !== undefined)
      ? 'secret'
      : schema.anyOf.map(typeText).join(' or ')
  if (schema.type === 'array') return `list of ${schema.items === undefined ? 'anything' : typeText(schema.items)}`
  return [schema.type ?? 'anything', ...(schema.unit === undefined ? [] : [`(${schema.unit})`])].join(' ')
}

function tomlText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{ ${Object.entries(value)
    .map(([key, inner]) => `${key} = ${JSON.stringify(inner)}`)
    .join(', ')} }`
}

/** Key -> kinds of files that have a line from it in some golden. */
function influences(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>()
  for (const name of goldenNames()) {
    const { result } = goldenResult(name)
    if (result.kind === 'refused') continue
    for (const { path, origins } of result.files)
      for (const origin of new Set(origins)) {
        if (origin === '' || !path.includes('/')) continue
        const key = generalText(origin)
        found.set(key, (found.get(key) ?? new Set()).add(fileKind(path)))
      }
  }
  for (const way of WAYS) addTexts(way, found)
  return found
}

/** Texts that a spec has once are found again in files whose lines come from a whole table. */
function addTexts(way: Way, found: Map<string, Set<string>>): void {
  const spec = harmlessSpec(way)
  const result = compile(JSON.stringify(spec), { targets: TARGET_NAMES })
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.diagnostics))
  const byText = Map.groupBy(writtenIn(spec), ({ text }) => text)
  for (const [text, places] of byText) {
    const [{ key, isName } = { key: '', isName: true }] = places
    if (places.length > 1 || isName || key.startsWith('gate.instance')) continue
    const general = key.replace(/=$|\.(?:credential|env|file)$/, '').replace(/(?<!targets|volumes)\[\]/g, '')
    for (const file of result.files)
      if (file.text.includes(text) && file.path.includes('/'))
        found.set(general, (found.get(general) ?? new Set()).add(fileKind(file.path)))
  }
}

/**
 * `quadlet/users/40000/gate-qwen.container` -> `quadlet/*.container`: names are the spec's, what comes after them is
 * not.
 */
function fileKind(path: string): string {
  const [target = ''] = path.split('/')
  const name = path.slice(path.lastIndexOf('/') + 1)
  const [ending] = /\.[a-z0-9]+$/.exec(name) ?? [name]
  return `${target}/${ending === name ? name : `*${ending}`}`
}

const NAMED = ['upstreams', 'backends', 'models', 'categories', 'budgets', 'limits', 'alerts', 'peers', 'relays']

/** \`backends.qwen.args[0]\` -> \`backends.<name>.args\`. */
function generalText(origin: string): string {
  const path = parsePathText(origin)
  const isNamed = NAMED.includes(String(path[0]))
  return path
    .map((step, i) => (i === 1 && isNamed ? '<name>' : step))
    .filter((step) => typeof step === 'string')
    .map((step, i, steps) => (i === 3 && (steps[2] === 'environment' || steps[2] === 'secrets') ? '<name>' : step))
    .join('.')
}

function profileTable(): string {
  const keys = [
    ['machine', ''],
    ['maxConnections', 'gate.server.max_connections'],
    ['maxConcurrent', 'gate.server.max_concurrent'],
    ['maxBodyBytes', 'gate.server.max_body'],
    ['maxBufferedBytes', 'gate.server.max_buffered'],
    ['cacheBytes', 'gate.cache'],
    ['memoryBytes', 'gate.memory'],
  ] as const
  const profiles = Object.entries(PROFILES)
  return table(
    ['', ...profiles.map(([name]) => `\`${name}\``)],
    keys.map(([field, key]) => [
      key === '' ? 'machine' : `\`${key}\``,
      ...profiles.map(([, profile]) => {
        const value = profile[field]
        if (typeof value === 'string') return value
        return field.endsWith('Bytes') ? `${value / 2 ** 20} MiB` : value.toLocaleString('en')
      }),
    ]),
  )
}

function engineTable(): string {
  const rows = Object.entries(ENGINE_TRAITS).map(([name, traits]) => [
    `\`${name}\``,
    traits.gpus.join(', '),
    traits.listen.join(', '),
    String(traits.containerPort),
    traits.needsModel ? 'yes' : 'no',
    traits.keyVariable === undefined ? (traits.ownLogin ? 'a login of its own' : 'none') : `\`${traits.keyVariable}\``,
    `${traits.startPeriodMs / 1000}s`,
  ])
  return table(['engine', 'GPUs', 'listen', 'port', 'needs a model', 'key', 'health.start_period'], rows)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n')
}

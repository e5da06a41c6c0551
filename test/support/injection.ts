import fc from 'fast-check'
import { type Compiled, type CompileOptions, compile } from '../../compiler/compile.ts'
import { parsePathText } from '../../schemas/spec/path.ts'
import { environmentSegment } from '../../schemas/words/key-names.ts'
import { harmlessSpec, type Way } from './harmless-spec.ts'
import { nastyText } from './nasty-text.ts'
import { replaced, stringKeys, type Written, writtenIn } from './spec-strings.ts'

/**
 * One spec after the other with hostile texts in all its places at once. What a reader makes of the compiled files must
 * be what it makes of the harmless spec, with those texts in place: no key more, none less, no text changed.
 */
export type Attack = {
  readonly compiled: Compiled
  /** What a reader should see, from what it sees of the harmless spec. */
  readonly expected: (harmless: unknown) => unknown
  /** Texts that got through, by the place they stand in. */
  readonly accepted: ReadonlyMap<string, string>
}

const word = fc.stringMatching(/^[a-z0-9]{1,8}$/)
const name = fc.stringMatching(/^[a-z][a-z0-9]{1,6}(?:-[a-z0-9]{1,4})?$/)
const host = fc.tuple(word, word, fc.constantFrom('example', 'home.arpa')).map((labels) => labels.join('.'))
const address = fc.tuple(fc.nat(255), fc.nat(255)).map(([a, b]) => `10.99.${a}.${b}`)
const path = nastyText.map((text) => `/zz${text}`)

/** Texts that a place takes, where its pattern alone does not say or where they would ask for other files. */
const TAKEN: readonly (readonly [RegExp, fc.Arbitrary<string>])[] = [
  [/^gate\.instance$/, fc.stringMatching(/^[a-z][a-z0-9]{1,4}$/)],
  [/\.<name>\.(?:environment|secrets)\.<name>$/, fc.stringMatching(/^[A-Z_][A-Z0-9_]{3,9}X$/)],
  [/\.acme\.(?:directory|dns\.api)$/, fc.tuple(host, nastyText).map(([at, text]) => `https://${at}/${text}`)],
  [/\.(?:public_address|rfc2136\.server)$/, host.map((text) => `${text}:53`)],
  [/\.rfc2136\.(?:zone|key_name)$/, host],
  [/\.registry\.endpoints\[\]$/, fc.tuple(host, nastyText).map(([at, text]) => `https://${at}/${text}`)],
  [/\.dns\.zone_id$/, fc.stringMatching(/^[A-Za-z0-9]{9}$/)],
  [/\.dns\.server$/, address.map((text) => `${text}:53`)],
  [/\.dns\.(?:zone|key_name)$|\.tls\.names\[\]$|\.tailnets\[\]$/, host],
  [/\.(?:user|email|groups)_header$/, fc.stringMatching(/^z[a-z0-9]{1,8}-[a-z0-9]{1,8}$/)],
  [/\.(?:file|path|cert|key|ca|(?:ca|cert|key)_file|image_archive|source|socket|presets)$/, path],
  [/\.<name>$|\.(?:group|together|links\[\])$/, name],
  [/\.credential$/, fc.stringMatching(/^[A-Za-z0-9._-]{2,9}$/)],
  [/\.env$/, fc.stringMatching(/^[A-Z_][A-Z0-9_]{3,9}Y$/)],
  [/\.(?:aliases\[\]|expose|custom_domain|volumes\[\]\.name)$/, fc.stringMatching(/^[a-z0-9]{2,6}-[a-z0-9]{1,6}$/)],
  [/^relay\.(?:names\[\]|backends\[\]\.names\[\])$/, host],
  [/^relay\.backends\[\]\.address$/, nastyText.map((text) => `unix:/z${text.replace(/\s/g, '')}`)],
  [/^relay\.pins\[\]$/, fc.stringMatching(/^[A-Za-z0-9+/]{43}=$/)],
  [/^relay\.ct_log$/, fc.tuple(host, nastyText).map(([at, text]) => `https://${at}/${text.replace(/[\s#]/g, '')}`)],
  [/^peers\.<name>\.node$/, fc.stringMatching(/^[a-z2-7]{32}$/)],
  [
    /^(?:relay\.addresses|peers\.<name>\.(?:addresses|relays))\[\]$/,
    fc.tuple(host, fc.integer({ min: 1, max: 65_535 })).map(([at, port]) => `${at}:${port}`),
  ],
  [/\.(?:domain|domain_suffix|domains\[\])$/, host],
  [/\.(?:host|bind_address|forward\[\]|network\.(?:allow|resolvers)\[\])$/, address],
  [/(?:allow_from|trusted_proxies|proxy\.from)\[\]$/, address.map((text) => `${text}/32`)],
  [/^dns\.listen$|interfaces\[\]$/, fc.stringMatching(/^z[A-Za-z0-9_.@-]{1,10}$/)],
  [/allowed_origins\[\]$|\.external_url$/, host.map((text) => `https://${text}`)],
  [/^gate\.telemetry\.endpoint$/, fc.tuple(word, nastyText).map(([at, text]) => `http://${at}.example:4318/${text}`)],
  [/^budgets\.<name>\.zone$/, fc.constantFrom('Europe/Paris', 'Asia/Tokyo', 'America/Lima')],
  [/^(?:budgets|limits)\.<name>\.scope$/, word.map((text) => `key:z${text}`)],
  [/\.email$/, host.map((text) => `someone@${text}`)],
  [
    /\.oidc\.<name>\.issuer$/,
    fc.tuple(host, nastyText).map(([at, text]) => `https://${at}/${text.replace(/[\s?#]/g, '')}`),
  ],
  [/\.oidc\.<name>\.scopes$/, fc.stringMatching(/^openid z[a-z]{1,8}z$/)],
  [/\.oidc\.<name>\.claim$/, nastyText.map((text) => `z${text.replace(/\p{Cc}/gu, '')}`)],
  [/parameters\[\]\.name$/, fc.stringMatching(/^z[a-z_]{1,8}z$/)],
  [/parameters\[\]\.json$/, nastyText.map((text) => JSON.stringify(text))],
  [/\.claude_code$/, nastyText.map((text) => JSON.stringify({ zq: text }))],
  [/\.base_url$/, fc.tuple(nastyText, nastyText).map(([at, text]) => `http://h${at}/${text}`)],
  [/devices\[\]$/, fc.stringMatching(/^z[A-Za-z0-9:._-]{0,8}$/)],
  [/\.files\.<name>=$/, fc.stringMatching(/^[A-Z][a-z]{0,4}\/[a-z0-9]{1,6}\.gguf$/)],
  [/\.(?:model|directory)$/, fc.stringMatching(/^[A-Z][A-Za-z0-9._+-]{0,6}\/[A-Z][A-Za-z0-9._+-]{0,6}$/)],
  [/image$/, fc.stringMatching(/^[a-z0-9]{1,5}\.[a-z]{2}\/[a-z0-9._-]{1,9}@sha256:[0-9a-f]{64}$/)],
]

/**
 * Compiles harmless and hostile specs.
 * @param keep places that stay as they are
 * @param at what files of certificates begin with
 */
export function* attacks(
  way: Way,
  options: CompileOptions,
  { rounds, seed, keep = [], folder, instance }: AttackOptions,
): Generator<Attack> {
  const harmless = harmlessSpec(way, folder)
  const written = writtenIn(harmless).filter(({ key }) => !keep.includes(key) && !NUMBERS.has(key))
  // a name and what refers to it are one text; the name decides what it may be
  const texts = [...new Map(written.toReversed().map((one) => [one.text, one])).values()]
  const samples = fc.sample(fc.tuple(...texts.map((one) => textFor(one, folder))), { numRuns: rounds, seed })
  for (const [round, sample] of samples.entries()) {
    const chosen = new Map(texts.map(({ text }, i) => [text, sample[i] ?? text]))
    if (instance !== undefined) chosen.set('zqi', instance(round))
    yield attack(harmless, written, chosen, options)
  }
}

export type AttackOptions = {
  readonly rounds: number
  readonly seed: number
  readonly keep?: readonly string[]
  readonly folder?: string
  /** `gate.instance` of a round, so that rounds do not meet on one host. */
  readonly instance?: (round: number) => string
}

const NUMBERS: ReadonlySet<string> = new Set(stringKeys().flatMap(({ key, isNumber }) => (isNumber ? [key] : [])))

function textFor({ key }: Written, folder: string | undefined): fc.Arbitrary<string> {
  const taken = TAKEN.find(([pattern]) => pattern.test(key))?.[1] ?? nastyText
  // a reader would look up the address of a host name
  const isName = (text: string) => key === 'gate.server.host' && /^[A-Za-z0-9.-]+$/.test(text)
  const isOpened = folder !== undefined && /files\.(?:cert|key)$/.test(key)
  return isOpened
    ? nastyText.map((text) => `${folder}/z${text.replaceAll('/', '')}${key.at(-1)}`)
    : fc.oneof({ weight: 4, arbitrary: taken }, { weight: 1, arbitrary: nastyText.filter((text) => !isName(text)) })
}

/** Compiles; places whose text is refused go back to the harmless one. */
function attack(
  harmless: object,
  texts: readonly Written[],
  chosen: Map<string, string>,
  options: CompileOptions,
): Attack {
  for (;;) {
    const spec = replaced(harmless, (text) => chosen.get(text) ?? text)
    const result = compile(JSON.stringify(spec), options)
    if (result.kind === 'compiled') {
      // two names of one table may have become one: what was below the first is in no spec then
      const there = new Set(writtenIn(spec).map(({ key, text }) => JSON.stringify([key, text])))
      const accepted = new Map(
        texts.flatMap(({ key, text }): [string, string][] => {
          const hostile = chosen.get(text) ?? text
          return hostile !== text && there.has(JSON.stringify([key, hostile])) ? [[key, hostile]] : []
        }),
      )
      return { compiled: result, expected: (tree) => replaced(tree, swap(chosen)), accepted }
    }
    const wrong = result.diagnostics
      .filter(({ severity }) => severity === 'error')
      .map((one) => parsePathText(one.path))
    const hostile = texts.filter(({ text }) => chosen.get(text) !== text)
    const placed = hostile.map((one) => ({
      ...one,
      place: one.path.map((step) => (typeof step === 'string' ? (chosen.get(step) ?? step) : step)),
    }))
    const meant = placed.filter(({ place, isName }) =>
      wrong.some((at) => isBelow(place, at) || (!isName && isBelow(at, place))),
    )
    // what is wrong below a name may be the name's fault, but only when nothing else is there to blame
    const refused = meant.length > 0 ? meant : placed.filter(({ place }) => wrong.some((at) => isBelow(at, place)))
    // every refusal says where; one that points elsewhere would hide a text that is let through
    if (refused.length === 0) throw new Error(JSON.stringify([result.diagnostics, spec]))
    for (const { text } of refused) chosen.set(text, text)
  }
}

function isBelow(path: readonly (string | number)[], parent: readonly (string | number)[]): boolean {
  return parent.length > 0 && path.slice(0, parent.length).join('\0') === parent.join('\0')
}

/**
 * Puts the chosen texts where the harmless ones stand, as parts of longer texts too, and as names of the environment.
 */
function swap(chosen: ReadonlyMap<string, string>): (text: string) => string {
  const pairs = [...chosen].flatMap(([from, to]): [string, string][] =>
    from === 'zqi'
      ? [
          [from, to],
          ['zqi'.toUpperCase(), to],
        ]
      : [
          [from, to],
          [environmentSegment(from), environmentSegment(to)],
        ],
  )
  const by = new Map(pairs.reverse())
  const all = [...by.keys()]
    .sort((a, b) => b.length - a.length)
    .map((text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'))
  const pattern = new RegExp(all.join('|'), 'g')
  return (text) => text.replace(pattern, (found) => by.get(found) ?? found)
}

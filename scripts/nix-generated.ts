import { z } from 'zod'
import { ENGINE_TRAITS } from '../compiler/catalog/engines.ts'
import { PROFILES } from '../compiler/catalog/profiles.ts'
import { DESCRIPTOR_RESERVE, DESCRIPTORS_PER_CONNECTION, LEAST_DESCRIPTORS } from '../compiler/emit/descriptors.ts'
import { configSchema } from '../schemas/config/config.ts'
import { keyTree, layerSchema, leaves } from '../schemas/config/keys.ts'
import { specSchema } from '../schemas/spec/spec.ts'
import { addressPattern } from '../schemas/words/address.ts'
import { camelCase } from '../schemas/words/key-names.ts'
import { keyTreeText } from './nix-keys.ts'
import { nixValue, type OptionSchema, optionSet } from './nix-options.ts'
import { posixPattern } from './nix-pattern.ts'
import { daemonUnitsFile, namesFile, relayUnitsFile } from './nix-units.ts'

/** The files in nix/generated/, by their names there: options, keys and units that the NixOS modules are made of. */
export function nixFiles(): Record<string, string> {
  const spec = z.toJSONSchema(specSchema, { io: 'input' }) as OptionSchema
  const settings = z.toJSONSchema(layerSchema(keyTree(configSchema)), { io: 'input' }) as OptionSchema
  return {
    'gateway-options.nix': optionFile(
      'of one gateway: the spec, with the tables gate and gate.server laid open',
      gatewayOptions(spec),
      ['backend'],
    ),
    'upstream-options.nix': optionFile('of one upstream of the spec', optionSet(entryOf(spec, 'upstreams'), 'spec')),
    'relay-options.nix': optionFile('of one relay server', optionSet(entryOf(spec, 'relays'), 'spec')),
    'settings-options.nix': optionFile(
      "of the daemon's configuration; a key that is not set is left to the daemon",
      optionSet(settings, 'layer'),
    ),
    'spec-keys.nix': file('Keys of the spec, spelled as in TOML.', keyTreeText(spec)),
    'settings-keys.nix': file("Keys of the daemon's configuration, spelled as in TOML.", keyTreeText(settings)),
    'shared-keys.nix': file(
      "Keys that the daemon's configuration and the spec both have, as paths in settings and in the options.",
      sharedKeys(),
    ),
    'address-pattern.nix': file('An IP address without brackets.', nixValue(posixPattern(addressPattern.source) ?? '')),
    'names.nix': file('Names and paths on a host.', namesFile()),
    'profiles.nix': file('Memory of the daemon by profile, in bytes.', nixValue(memory())),
    'descriptors.nix': file('LimitNOFILE= of a daemon, by its maxConnections.', descriptors()),
    'engines.nix': file('What the module needs to know about engines.', nixValue(engines())),
    'daemon-units.nix': file('Units of one daemon.', `{ package, prefix }:\n${daemonUnitsFile()}`),
    'relay-units.nix': file('Templates of the relays.', `{ package }:\n${relayUnitsFile()}`),
  }
}

function optionFile(what: string, options: string, added: readonly string[] = []): string {
  const names = ['lib', 'anything', 'secretReference', ...added].join(', ')
  const head = `{ ${names}, ... }:\nlet\n  inherit (lib) literalMD mkOption types;\nin\n`
  return file(`Options ${what}.`, head + options)
}

function file(what: string, text: string): string {
  return `# Made by "npm run generate"; changes here are lost.\n# ${what}\n${text}\n`
}

/**
 * Pairs of paths, from what each key says of its place in the spec. Not those of a table that may be absent, where one
 * key alone would ask for the whole, nor secrets, which are not options.
 */
function sharedKeys(): string {
  const pairs = [...leaves(keyTree(configSchema))].flatMap(
    ([
      path,
      {
        meta: { spec, secret },
      },
    ]) => {
      if (typeof spec !== 'string' || spec.includes('*') || /^gate\.tls\.(?:acme|files)\./.test(spec) || secret)
        return []
      const option = spec.replace(/^gate\.(?:server\.)?/, '').split('.')
      return [`  { setting = ${nixValue(path.map(camelCase))}; option = ${nixValue(option.map(camelCase))}; }`]
    },
  )
  return `[\n${pairs.join('\n')}\n]`
}

const memory = () => Object.fromEntries(Object.entries(PROFILES).map(([name, { memoryBytes }]) => [name, memoryBytes]))

function descriptors(): string {
  const wanted = `maxConnections * ${DESCRIPTORS_PER_CONNECTION} + ${DESCRIPTOR_RESERVE}`
  return `maxConnections:\nlet wanted = ${wanted}; in\nif wanted > ${LEAST_DESCRIPTORS} then wanted else ${LEAST_DESCRIPTORS}`
}

const engines = () =>
  Object.fromEntries(
    Object.entries(ENGINE_TRAITS).map(([name, { listen, keyVariable, isUpstream }]) => [
      name,
      { listen: listen[0], can_check_keys: keyVariable !== undefined, is_upstream: isUpstream },
    ]),
  )

/**
 * Of the whole spec: \`gate.server.port\` is \`port\`, \`gate.tls.acme\` is \`tls.acme\`, \`backends\` is \`backends\`.
 */
function gatewayOptions(spec: OptionSchema): string {
  const { properties = {} } = spec
  const gate = properties['gate']?.properties ?? {}
  const backends = {
    ...properties['backends'],
    additionalProperties: { ...entryOf(spec, 'backends'), addedModule: 'backend' },
  }
  const laidOpen = { ...gate, ...gate['server']?.properties, ...properties, backends }
  const left = Object.entries(laidOpen).filter(([key]) => !ELSEWHERE.includes(key))
  return optionSet({ properties: Object.fromEntries(left) }, 'spec')
}

/** What is not an option of this name: other options say it, or it has no meaning on NixOS. */
const ELSEWHERE: readonly string[] = [
  '$schema',
  'gate',
  'server',
  'instance',
  'image',
  'keep_generations',
  'defaults',
  'upstreams',
  'relays',
]

function entryOf({ properties }: OptionSchema, name: string): OptionSchema {
  const entry = properties?.[name]?.additionalProperties
  if (typeof entry !== 'object') throw new TypeError(`${name} is not a map`)
  return entry
}

import { type DaemonUnits, daemonUnits, tlsSocketUnits } from '../compiler/emit/systemd/daemon-units.ts'
import { relayUnits } from '../compiler/emit/systemd/relay-units.ts'
import { backendNames, gatewayNames } from '../compiler/ir/names.ts'
import { DEBIAN_LAYOUT } from '../schemas/deploy/layout.ts'
import { type Attribute, code, integer, list, type Nix, nixText, set, str } from '../syntax/nix/print.ts'
import { type Entry, type UnitFile, valueText } from '../syntax/unit/print.ts'
import { indented } from './nix-options.ts'

/** Stands for what differs between gateways and backends, in texts that the compiler makes. */
const MARK = { instance: 'instance0', backend: 'backend0' }
const NAMES = gatewayNames(MARK.instance)
/** Of NixOS 24.11; newer ones know all that it knows. */
const SYSTEMD = 256

/** Names and paths of a gateway and of a backend, as functions of the prefix and the backend's name. */
export function namesFile(): string {
  const backend = backendNames(NAMES, MARK.backend)
  const { symbol: _, ...named } = NAMES
  return `{
${indented(`gateway = prefix: ${nixText(textSet(named))};`)}
${indented(`backend = prefix: backend: ${nixText(textSet(backend))};`)}
}`
}

function textSet(texts: Readonly<Record<string, string>>): Nix {
  return set(Object.entries(texts).map(([name, text]) => ({ path: [name], value: str(...withMarks(text)) })))
}

/** The units of one daemon, but for what depends on its options: addresses, limits, secrets. */
export function daemonUnitsFile(): string {
  const daemon: DaemonUnits = {
    origin: [],
    comment: [],
    unit: NAMES.daemonUnit,
    user: NAMES.user,
    adminGroup: NAMES.adminGroup,
    stateDirectory: NAMES.stateDirectory,
    environmentFile: NAMES.environmentFile,
    adminSocket: NAMES.adminSocket,
    backendsDirectory: NAMES.backendsDirectory,
    proxy: undefined,
    host: '127.0.0.1',
    port: 3000,
    tls: undefined,
    tlsDigest: undefined,
    maxConnections: 0,
    args: ['--declared', NAMES.declaredConfig],
    extra: [],
    after: [],
    systemd: SYSTEMD,
    layout: DEBIAN_LAYOUT,
  }
  const ofTls = tlsSocketUnits(daemon, { host: undefined, httpsPort: 443, httpPort: 80 })
  const isTheModules = ['ListenStream', 'FreeBind']
  return unitsText(
    { ...daemonUnits(daemon), ...ofTls },
    {
      [`${NAMES.daemonUnit}.socket`]: isTheModules,
      ...Object.fromEntries(Object.keys(ofTls).map((file) => [file, isTheModules])),
      [`${NAMES.daemonUnit}.service`]: ['LimitNOFILE'],
    },
  )
}

/** The templates of the relays of a host. */
export function relayUnitsFile(): string {
  const relay = {
    origin: [],
    instance: 'any',
    unit: gatewayNames(undefined).relayUnit,
    bindAddress: '::',
    httpsPort: 443,
    p2pPort: 31_145,
    metricsPort: undefined,
    logLevel: 'info',
    domainSuffix: undefined,
    allowFrom: [],
    trustedProxies: [],
    publicAddress: undefined,
    invite: undefined,
    registry: undefined,
    limits: undefined,
    tls: undefined,
    dns: undefined,
    isDialling: false,
  }
  const { configDirectory, adminGroup } = gatewayNames(undefined)
  // a template cannot be in a target's wants; its instances are
  const units = relayUnits([relay], () => [], {
    configDirectory,
    adminGroup,
    comment: [],
    systemd: SYSTEMD,
    layout: DEBIAN_LAYOUT,
  })
  return unitsText(Object.fromEntries(Object.entries(units).filter(([file]) => !file.includes('.d/'))))
}

/** @param open directives that the module writes itself, by unit */
function unitsText(
  units: Readonly<Record<string, UnitFile>>,
  open: Readonly<Record<string, readonly string[]>> = {},
): string {
  const byKind = Map.groupBy(Object.entries(units), ([file]) => file.slice(file.lastIndexOf('.') + 1))
  const kinds = [...byKind].map(([kind, group]): Attribute => {
    const entries = group.map(([file, unit]): Attribute => {
      const isTemplate = file.includes('@.')
      const left = ({ key }: Entry): boolean => !(open[file] ?? []).includes(key) && !(isTemplate && key === 'WantedBy')
      return { path: [MARKED + file.slice(0, -kind.length - 1)], value: set(unitOptions(unit, left)) }
    })
    return { path: [`${kind}s`], value: set(entries) }
  })
  // names of attributes are texts with marks, too
  return nixText(set(kinds)).replaceAll(new RegExp(`"?${MARKED}([a-z0-9@-]+)"?`, 'g'), (_, name: string) =>
    nixText(str(...withMarks(name))),
  )
}

/** Begins the names of attributes that may hold a mark; no name of the compiler does. */
const MARKED = 'marked-'

/** Options of NixOS with another form than the directive. */
const LISTS: Readonly<Record<string, string>> = {
  After: 'after',
  Wants: 'wants',
  Requires: 'requires',
  PartOf: 'partOf',
  WantedBy: 'wantedBy',
}

function unitOptions({ sections }: UnitFile, left: (entry: Entry) => boolean): Attribute[] {
  return sections.flatMap(({ name, entries }): Attribute[] => {
    const own = entries.filter(left)
    if (name === 'Unit' || name === 'Install') return own.flatMap(unitOption)
    const grouped = [...Map.groupBy(own, ({ key }) => key)].map(([key, group]): Attribute => {
      const values = group.map(({ value }) => str(...withMarks(valueText(value), key)))
      const [only] = values
      return { path: [key], value: values.length === 1 && only !== undefined ? only : list(values) }
    })
    return [{ path: [`${name.toLowerCase()}Config`], value: set(grouped) }]
  })
}

function unitOption({ key, value }: Entry): Attribute[] {
  const text = valueText(value)
  const list_ = LISTS[key]
  if (list_ !== undefined)
    return [{ path: [list_], value: list(text.split(' ').map((unit) => str(...withMarks(unit)))) }]
  switch (key) {
    case 'Description':
      return [{ path: ['description'], value: str(...withMarks(text)) }]
    case 'Documentation':
      return [{ path: ['documentation'], value: list([str(...withMarks(text, key))]) }]
    case 'StartLimitIntervalSec':
      return [{ path: ['startLimitIntervalSec'], value: integer(Number(text)) }]
    case 'RequiresMountsFor':
      return [{ path: ['unitConfig', key], value: str(...withMarks(text)) }]
    case 'Also':
      return []
    default:
      throw new TypeError(`no option of NixOS for ${key} in [Unit]`)
  }
}

const PLACES: Readonly<Record<string, string>> = {
  [NAMES.prefix]: 'prefix',
  [MARK.backend]: 'backend',
  '/usr/': 'package',
}

/** The text with expressions for marks and, in commands and documentation, for the package. */
function withMarks(text: string, key = ''): (string | Nix)[] {
  const isPlace = key.startsWith('Exec') || key === 'Documentation'
  return text.split(new RegExp(`(${NAMES.prefix}|${MARK.backend}${isPlace ? '|/usr/' : ''})`)).flatMap((part) => {
    const name = PLACES[part]
    if (name === undefined || (part === '/usr/' && !isPlace)) return part === '' ? [] : [part]
    return part === '/usr/' ? [code(name), '/'] : [code(name)]
  })
}

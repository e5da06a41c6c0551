import type { Deployment } from '../ir/deployment.ts'
import { pathText, type SpecPath } from '../spec-path.ts'
import { type Attribute, boolean, from, list, type Nix, option, set, str } from '../syntax/nix.ts'
import { type Entry, type UnitFile, valueText } from '../syntax/unit.ts'
import { programParts } from './nix-programs.ts'

/**
 * System units as options of NixOS, directive by directive, so that a host's own configuration can add to them and
 * override them. Of [Install], only what NixOS has options for; Also= is what the other units' WantedBy= say anyway.
 */
export function nixUnits(units: Readonly<Record<string, UnitFile>>, { gateway, names }: Deployment): Attribute[] {
  const attributes = Object.entries(units).map(([file, unit]): Attribute & { readonly kind: string } => {
    const { name, kind, isDropIn } = unitName(file)
    const entries = [
      ...(isDropIn ? [DROP_IN, ...(kind === 'service' ? [WITHOUT_PATH] : [])] : []),
      ...sections(unit),
      ...installEntries(file, units),
      ...(file === `${gateway.unit}.service` ? reloadEntries(gateway.declaredConfig) : []),
      ...(file === names.dnsUnit ? [{ path: ['restartTriggers'], value: list([etcSource(names.dnsConfig)]) }] : []),
      ...(name.startsWith('user@') ? [KEEP_RUNNING] : []),
    ]
    return { kind, path: [name], value: { kind: 'set', entries }, origin: unit.origin }
  })
  return [...Map.groupBy(attributes, ({ kind }) => kind)].map(([kind, group]) => ({
    path: ['systemd', `${kind}s`],
    value: set(group),
  }))
}

const DROP_IN: Attribute = { path: ['overrideStrategy'], value: str('asDropin') }

/** Without the search path that NixOS gives a service of its own. */
const WITHOUT_PATH: Attribute = { path: ['enableDefaultPath'], value: boolean(false) }

/** A restarted user manager takes its containers with it; daemon-reload is enough for what these drop-ins say. */
const KEEP_RUNNING: Attribute = { path: ['restartIfChanged'], value: boolean(false) }

/** The running daemon reads another declared layer; only its own unit restarts it, and its sockets stay. */
function reloadEntries(declaredConfig: string): Attribute[] {
  return [
    { path: ['reloadTriggers'], value: list([etcSource(declaredConfig)]) },
    { path: ['stopIfChanged'], value: boolean(false) },
  ]
}

const etcSource = (path: string): Nix => option('environment', 'etc', path.slice('/etc/'.length), 'source')

/** @throws Error for a kind of unit that this module has no option for: a mistake in an emitter */
function unitName(file: string): { name: string; kind: 'service' | 'socket'; isDropIn: boolean } {
  const [, name, kind, dropIn] = /^([^/]+)\.(service|socket)(\.d\/[^/]+\.conf)?$/.exec(file) ?? []
  if (name === undefined || (kind !== 'service' && kind !== 'socket')) throw new Error(`no option of NixOS for ${file}`)
  return { name, kind, isDropIn: dropIn !== undefined }
}

const SECTIONS: Readonly<Record<string, string>> = {
  Unit: 'unitConfig',
  Service: 'serviceConfig',
  Socket: 'socketConfig',
}

function sections(unit: UnitFile): Attribute[] {
  return unit.sections.flatMap(({ name, entries }): Attribute[] => {
    if (name === 'Install') return []
    const config = SECTIONS[name]
    if (config === undefined) throw new Error(`no option of NixOS for [${name}]`)
    return entries.length === 0 ? [] : [{ path: [config], value: set(directives(entries, unit.origin)) }]
  })
}

/** Directives that are written several times become one list, in their order. */
function directives(entries: readonly Entry[], origin: SpecPath): Attribute[] {
  return [...Map.groupBy(entries, ({ key }) => key)].map(([key, group]) => {
    const values = group.map(
      (entry): Nix => from(pathText(entry.origin ?? origin), str(...programParts(key, valueText(entry.value)))),
    )
    const [only] = values
    return { path: [key], value: values.length === 1 && only !== undefined ? only : list(values) }
  })
}

const INSTALL: Readonly<Record<string, string>> = { WantedBy: 'wantedBy', RequiredBy: 'requiredBy' }

/** A template cannot be wanted; its instances, which are drop-ins here, are in its place. */
function installEntries(file: string, units: Readonly<Record<string, UnitFile>>): Attribute[] {
  const { name, kind } = unitName(file)
  const template = name.includes('@') ? `${name.slice(0, name.indexOf('@') + 1)}.${kind}` : file
  if (template === file && name.endsWith('@')) return []
  const entries = units[template]?.sections.find((section) => section.name === 'Install')?.entries ?? []
  return entries.flatMap(({ key, value }) => {
    const wants = INSTALL[key]
    const wanted = valueText(value).split(' ')
    return wants === undefined ? [] : [{ path: [wants], value: list(wanted.map((unit) => str(unit))) }]
  })
}

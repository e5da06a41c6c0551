import { code, type Nix } from '../syntax/nix.ts'

/** Where programs and what they bring along are on NixOS; `gate` has the layout of an installation below /usr. */
const PLACES: readonly { readonly prefix: string; readonly parts: readonly (string | Nix)[] }[] = [
  { prefix: '/usr/lib/systemd/', parts: [code('config.systemd.package'), '/lib/systemd/'] },
  { prefix: '/usr/lib/gate/', parts: [code('gate'), '/lib/gate/'] },
  { prefix: '/usr/share/doc/gate/', parts: [code('gate'), '/share/doc/gate/'] },
  { prefix: '/usr/bin/gate-', parts: [code('gate'), '/bin/gate-'] },
  { prefix: '/usr/sbin/dnsmasq', parts: [code('pkgs.dnsmasq'), '/bin/dnsmasq'] },
  // NixOS has it in the same place
  { prefix: '/bin/sh', parts: ['/bin/sh'] },
]

/**
 * The value of a directive of a plain unit, with programs taken from the store. Only the first two words of an Exec
 * line are looked at, which the compiler itself writes; the same text in a value from the spec stays as it is.
 * @throws Error for a program that NixOS has elsewhere: a mistake in an emitter
 */
export function programParts(key: string, value: string): (string | Nix)[] {
  if (key === 'Documentation') return ['file://', ...(storePath(value.slice('file://'.length)) ?? [])]
  if (!key.startsWith('Exec')) return [value]
  const [, program = '', space = '', argument = '', rest = ''] = /^(\S+)(\s*)(\S*)(.*)$/.exec(value) ?? []
  const place = storePath(program)
  if (place === undefined) throw new Error(`no place on NixOS for ${program}`)
  const isScript = argument.startsWith('/usr/lib/gate/')
  return [...place, space, ...((isScript ? storePath(argument) : undefined) ?? [argument]), rest]
}

function storePath(path: string): (string | Nix)[] | undefined {
  const place = PLACES.find(({ prefix }) => path.startsWith(prefix))
  return place === undefined ? undefined : [...place.parts, path.slice(place.prefix.length)]
}

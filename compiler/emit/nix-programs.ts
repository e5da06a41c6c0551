import { AGENT, SOCKET_PROXY } from '../ir/names.ts'
import { code, type Nix } from '../syntax/nix.ts'

/** Where the programs that our units start are on NixOS. */
const PROGRAMS: Readonly<Record<string, readonly (string | Nix)[]>> = {
  [AGENT.program]: [code('gate'), '/bin/gate-agent'],
  [SOCKET_PROXY]: [code('config.systemd.package'), '/lib/systemd/systemd-socket-proxyd'],
}

/**
 * A line of a plain unit with its program taken from the store. Only the first word of an Exec line is looked at,
 * which the compiler itself writes; the same text in a value from the spec stays as it is.
 * @throws Error for a program that NixOS has elsewhere: a mistake in an emitter
 */
export function programParts(line: string): (string | Nix)[] {
  const [, key, program, rest] = /^(Exec[A-Za-z]+=)(\/[^ ]*)(.*)$/.exec(line) ?? []
  if (key === undefined || program === undefined || rest === undefined) return [line]
  const parts = PROGRAMS[program]
  if (parts === undefined) throw new Error(`no place on NixOS for ${program}`)
  return [key, ...parts, rest]
}

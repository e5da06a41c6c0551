import { pathText, type Span, type SpecPath } from '../schemas/spec/path.ts'
import type { Source } from './parse/source.ts'

/** Every way a spec can be wrong, listed once. Codes are stable, messages are not. */
export const CODES = {
  SYNTAX: 'the text is neither TOML nor JSON',
  CONTROL_CHARACTER: 'a text contains a line break or another control character',
  DUPLICATE_KEY: 'a key appears twice',
  UNKNOWN_KEY: 'no such key',
  MISSING_KEY: 'a required key is missing',
  WRONG_TYPE: 'the value has the wrong type',
  INVALID_VALUE: 'the value is not one of those allowed',
  LITERAL_SECRET: 'a secret is written out instead of being referred to',
  UNEXPANDED_VARIABLE: 'a variable of config.toml where none is replaced',
  INVALID_LOCK: 'gate.lock.json cannot be used',
  CONTRADICTING_SETTING: '--settings moves the daemon away from where the spec has it',
  UNKNOWN_NAME: 'a reference names something that does not exist',
  AMBIGUOUS_TARGET: 'a target names none or several of backend, upstream and alias',
  MODEL_CYCLE: 'virtual models refer to each other in a circle',
  EMPTY_GROUP: 'a group has only one member',
  GPU_MISMATCH: 'the engine cannot use this kind of GPU',
  ENGINE_NEEDS_MODEL: 'the engine needs a model',
  ENGINE_NEEDS_NETWORK: 'the engine needs network = true',
  ENGINE_CANNOT_LISTEN: 'the engine cannot listen that way',
  UNPROTECTED_BACKEND: 'a backend on a loopback port checks no key',
  NO_EFFECT: 'a key that has no effect for this engine',
  UNPINNED_IMAGE: 'an image is named by tag',
  COLON_IN_MOUNT: 'a mounted path with a colon, which podman reads as options',
  FILE_NOT_MOUNTED: 'an argument names a file of the host that is not in the container',
  UNLINKED_BACKEND: 'a container is given the port of a backend that it cannot reach',
  LINK_NEEDS_PORT: 'a link to a backend that has no port of its own',
  LOGIN_UID: 'a user id of the range that people get',
  UNKNOWN_ADDRESS: 'an upstream on the local network is named by a name, so its address cannot be allowed',
  UNCOVERED_ADDRESS: 'allow_from refuses clients that come by an address which the name server hands out',
  SHARED_GPU: 'a backend may run beside a group on one GPU',
  UNQUALIFIED_IMAGE: 'an image without its registry',
  FORBIDDEN_MOUNT: 'a mount of what belongs to the system or to other users',
  DUPLICATE_MOUNT: 'two things are mounted at the same path',
  MISSING_HEALTH_COMMAND: 'notify = "healthy" without a health command',
  START_TIMEOUT_TOO_SHORT: 'start_timeout does not exceed health.start_period + pull_timeout',
  OPEN_WITHOUT_AUTH: 'auth.mode none on an address that others can reach',
  PUBLIC_WITHOUT_TLS: 'a public address without TLS',
  MISSING_PROVIDER: 'auth.mode oidc without an identity provider',
  MISSING_DOMAIN: 'gate.domain is required',
  MISSING_LISTEN: 'dns.listen is required',
  UNISOLATED_SANDBOX: 'sandbox.runtime none without allow_unisolated',
  EXPOSED_WITHOUT_PROXY: 'a backend is exposed but there is no proxy',
  EXPOSE_NEEDS_PORT: 'an exposed backend is reachable only by its Unix socket',
  PORT_COLLISION: 'two listeners want the same port',
  UID_COLLISION: 'two users have the same user id',
  SUBUID_COLLISION: 'two ranges of subordinate ids overlap',
  NAME_COLLISION: 'two users, units, containers or sockets have the same name',
  ALLOCATION_EXHAUSTED: 'no free port or user id is left',
  NOT_YET: 'the daemon cannot do this yet',
  NOT_A_MODEL_SERVER: 'a target is an app, not a model server',
  UNREACHABLE_SECRET: 'the target cannot take a secret from there',
  NOT_AN_ADDRESS: 'an IP address is required',
  UNSUPPORTED_VERSION: 'the version of podman or systemd is unknown',
  EMPTY_INSTALLER: 'the installer for clients would change nothing',
  UNCERTIFIED_NAME: 'the certificate does not cover a name that the proxy serves',
  NOT_EXPRESSIBLE: 'the target cannot express this',
  NOT_EXPRESSED: 'the target cannot express this part of the spec',
  MISSING_IMAGE: 'a target that runs the gateway in a container needs an image of it',
  TOO_OLD: 'the target version cannot do this',
  SECRET_IN_STORE: 'a secret is in the Nix store, which every user can read',
} as const satisfies Record<string, string>

export type DiagnosticCode = keyof typeof CODES

export type Diagnostic = {
  readonly code: DiagnosticCode
  /** An error stops the compilation, a warning does not. */
  readonly severity: 'error' | 'warning'
  readonly span: Span
  /** Where in the spec, such as `backends.qwen.gpu`; empty for the whole spec. */
  readonly path: string
  /** What is wrong. */
  readonly message: string
  /** What to do. */
  readonly hint?: string
}

/** What a check knows; the position is added from the path by `locate`. */
export type Finding = {
  readonly code: DiagnosticCode
  readonly severity?: 'error' | 'warning'
  readonly path: SpecPath
  /** Which part of the path is meant; the value when absent. */
  readonly part?: 'key' | 'value'
  readonly message: string
  readonly hint?: string
}

/** Adds the position to a finding. */
export function locate(finding: Finding, source: Source): Diagnostic {
  const { code, severity = 'error', path, part = 'value', message, hint } = finding
  const span = part === 'key' ? source.keySpan(path) : source.valueSpan(path)
  return { code, severity, span, path: pathText(path), message, ...(hint === undefined ? {} : { hint }) }
}

/** In the order of the text; the order of equal positions is kept. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return diagnostics.toSorted((a, b) => a.span.line - b.span.line || a.span.column - b.span.column)
}

/** A diagnostic for people: position, what, code frame, what to do. @param text the whole spec */
export function renderDiagnostic(diagnostic: Diagnostic, text: string): string {
  const { span, severity, code, message, hint } = diagnostic
  const line = text.split('\n')[span.line - 1]?.replace(/\r$/, '') ?? ''
  const gutter = String(span.line)
  const blank = ' '.repeat(gutter.length)
  const marks = '^'.repeat(Math.max(1, Math.min(span.endColumn, line.length + 1) - span.column))
  const indent = line.slice(0, span.column - 1).replace(/[^\t]/g, ' ')
  return [
    `${span.file}:${span.line}:${span.column}: ${severity} ${code}: ${message}`,
    `${blank} |`,
    `${gutter} | ${line}`,
    `${blank} | ${indent}${marks}`,
    ...(hint === undefined ? [] : [`${blank} = ${hint}`]),
  ].join('\n')
}

import type { Finding } from '../diagnostic.ts'
import type { Deployment } from '../ir/deployment.ts'
import { userUnitDirectory, userUnitSource } from '../ir/names.ts'
import { type Attribute, boolean, code, type Line, list, printModule, set, str } from '../syntax/nix.ts'
import { emitClient } from './client.ts'
import { emitDeclared } from './declared.ts'
import { nixChecks } from './nix-checks.ts'
import { nixAccounts, nixDirectories, nixFirewall } from './nix-host.ts'
import { programParts } from './nix-programs.ts'
import { nixUnits } from './nix-units.ts'
import { nixDns, nixProxy } from './nix-web.ts'
import type { Emission, EmitOptions, OutputFile } from './output.ts'
import { emitQuadlet } from './quadlet.ts'
import { systemUnits } from './systemd.ts'

/**
 * One NixOS module that makes a host what the deployment says, and needs nothing of Gate but its package. Files that
 * other targets make are carried over line by line, so a backend's quadlet is the same on every host.
 */
export function emitNix(deployment: Deployment, { podman, systemd }: EmitOptions): Emission {
  const options = { podman, systemd: Math.max(systemd, OLDEST_SYSTEMD) }
  const quadlet = emitQuadlet(deployment, options)
  const web = [nixProxy(deployment), nixDns(deployment)]
  const own = [emitDeclared(deployment), emitClient(deployment)]
  const system = systemUnits(deployment, options.systemd)
  const units = Object.assign({}, system.units, ...web.map((part) => part.units))
  const module = printModule({
    origin: [],
    comment: [
      'Made by gatectl from the spec; changes here are lost.',
      "Import it into a NixOS configuration (24.11 or newer) whose nixpkgs has the overlay of Gate's flake.",
    ],
    bindings: { gate: PACKAGE },
    config: [
      ...nixChecks(deployment, options),
      ...etcFiles(deployment, [
        ...own.flatMap(({ files }) => files),
        ...quadlet.files,
        ...web.flatMap(({ files }) => files),
      ]),
      ...gpuDrivers(deployment),
      ...nixFirewall(deployment),
      ...nixDirectories(deployment),
      ...nixUnits(units, deployment),
      ...web.flatMap(({ options }) => options),
      ...podmanOptions(deployment),
      ...nixAccounts(deployment),
    ].sort((a, b) => (a.path.join('.') < b.path.join('.') ? -1 : 1)),
  })
  return {
    files: [{ path: `nix/${deployment.prefix}.nix`, mode: 0o644, ...module }],
    findings: [
      ...own.flatMap(({ findings }) => findings),
      ...quadlet.findings,
      ...system.findings,
      ...web.flatMap(({ findings }) => findings),
      ...storeSecrets(deployment),
    ],
  }
}

/** Of NixOS 24.11, the first with all options that the module sets. */
const OLDEST_SYSTEMD = 256

const PACKAGE = `pkgs.gate or (throw "there is no pkgs.gate: add Gate's overlay to nixpkgs.overlays")`

/** Files below /etc: quadlets where podman reads them, plain user units where the homes of the backends link to. */
function etcFiles({ prefix, agents }: Deployment, files: readonly OutputFile[]): Attribute[] {
  const unitSources = new Map(agents.map(({ uid, home }) => [userUnitDirectory(home), userUnitSource(prefix, uid)]))
  const entries = files.map((file) => {
    const { name, isUnit } = etcPath(file, unitSources)
    return { path: [name, 'text'], value: { kind: 'lines' as const, lines: fileLines(file, isUnit) } }
  })
  return entries.length === 0 ? [] : [{ path: ['environment', 'etc'], value: set(entries) }]
}

/** Where below /etc a file goes. @throws Error for a path that no option of this module covers: a mistake in an emitter */
function etcPath({ path, install = '' }: OutputFile, unitSources: ReadonlyMap<string, string>) {
  if (install.startsWith('/etc/')) return { name: install.slice('/etc/'.length), isUnit: false }
  const [, directory = '', file] = /^(.*\/systemd\/user)(\/.*)$/.exec(install) ?? []
  const source = unitSources.get(directory)
  if (source === undefined) throw new Error(`no place on NixOS for ${path}`)
  return { name: `${source}${file}`.slice('/etc/'.length), isUnit: true }
}

function fileLines({ text, origins }: OutputFile, isUnit: boolean): Line[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line, i) => ({ parts: isUnit ? unitLine(line) : [line], origin: origins[i] ?? '' }))
}

function unitLine(line: string): Line['parts'] {
  const [, key, value] = /^([A-Za-z]+)=(.*)$/.exec(line) ?? []
  return key === undefined || value === undefined ? [line] : [`${key}=`, ...programParts(key, value)]
}

function podmanOptions({ containers }: Deployment): Attribute[] {
  const [first] = containers
  if (first === undefined) return []
  const generator = 'lib/systemd/user-generators/podman-user-generator'
  return [
    { path: ['virtualisation', 'podman', 'enable'], value: boolean(true) },
    // NixOS links podman's units only; without its generator no user manager would read a quadlet
    {
      path: ['systemd', 'user', 'generators', 'podman-user-generator'],
      value: str(code('config.virtualisation.podman.package'), `/${generator}`),
    },
    // quadlets wait for this unit, which finds no "sh" in the search path that NixOS compiles in
    {
      path: ['systemd', 'user', 'services', 'podman-user-wait-network-online'],
      value: set([
        { path: ['overrideStrategy'], value: str('asDropin') },
        {
          path: ['serviceConfig', 'ExecSearchPath'],
          value: list(['pkgs.bash', 'pkgs.coreutils', 'config.systemd.package'].map((part) => str(code(part), '/bin'))),
        },
      ]),
    },
  ]
}

function gpuDrivers({ containers }: Deployment): Attribute[] {
  const first = containers.find(({ gpu }) => gpu === 'nvidia')
  if (first === undefined) return []
  const origin = [...first.origin, 'gpu']
  return [{ path: ['hardware', 'nvidia-container-toolkit', 'enable'], value: boolean(true), origin }]
}

/** The store is readable by everybody on the host. */
function storeSecrets({ secrets, gateway }: Deployment): Finding[] {
  const files = secrets.flatMap(({ origin, source }) => ('file' in source ? [{ origin, file: source.file }] : []))
  if (gateway.tls.kind === 'files')
    files.push({ origin: [...gateway.origin, 'tls', 'files', 'key'], file: gateway.tls.key })
  return files
    .filter(({ file }) => file.startsWith('/nix/store/'))
    .map(({ origin, file }) => ({
      code: 'SECRET_IN_STORE',
      path: origin,
      message: `everybody on the host can read ${file}`,
      hint: 'keep it outside the Nix store, for example with sops-nix or agenix, and name that path',
    }))
}

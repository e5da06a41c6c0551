import type { Layout } from '../../schemas/deploy/layout.ts'
import type { Tree } from '../../syntax/tree.ts'
import type { Finding } from '../diagnostic.ts'
import type { Deployment } from '../ir/deployment.ts'

/** One file that the compiler makes. */
export type OutputFile = {
  /** Below the output directory, beginning with the target: `quadlet/users/40000/gate-qwen.container`. */
  readonly path: string
  /** Where it belongs on the host; absent for what stays with the output (README.txt, gate.lock.json). */
  readonly install?: string
  /** Octal permission bits on the host. */
  readonly mode: number
  readonly text: string
  /** For each line of the text, the path in the spec that it comes from; empty texts mean "the compiler itself". */
  readonly origins: readonly string[]
}

/** A version such as 5.4. */
export type Version = { readonly major: number; readonly minor: number }

export type EmitOptions = {
  readonly podman: Version
  /** Major version of systemd. */
  readonly systemd: number
  /** Where the host has its programs and directories. */
  readonly layout: Layout
  /** A layer of the daemon's configuration, to lie over what the spec gives. */
  readonly settings: Tree
}

/** What one target makes of a deployment, and what it cannot express. */
export type Emission = { readonly files: readonly OutputFile[]; readonly findings: readonly Finding[] }

/** A target: a pure function of the deployment. */
export type Emitter = (deployment: Deployment, options: EmitOptions) => Emission

export function versionText({ major, minor }: Version): string {
  return `${major}.${minor}`
}

export function isBefore(a: Version, b: Version): boolean {
  return a.major < b.major || (a.major === b.major && a.minor < b.minor)
}

import { existsSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { text as readAll } from 'node:stream/consumers'
import { type Compiled, type CompileOptions, compile, type Refused } from '../../../compiler/compile.ts'
import { nearest } from '../../../schemas/words/nearest.ts'
import { TARGET_NAMES, type Target } from '../../../schemas/words/targets.ts'
import { sh } from '../../../syntax/shell/print.ts'
import { usageFailure } from '../../failure.ts'
import type { Invocation } from '../../invocation.ts'
import { readLayout } from './layout-input.ts'
import { readNamed } from './named-file.ts'
import { readSettings } from './settings-input.ts'

/** A spec as the command line names it, with everything that a compilation of it depends on. */
export type SpecInput = {
  /** As it was given; "standard input" for "-". */
  readonly file: string
  readonly text: string
  readonly lockFile: string
  /** Absent on a first run. */
  readonly lockText: string | undefined
  readonly options: Pick<CompileOptions, 'podman' | 'systemd' | 'seed' | 'layout' | 'settings'>
}

/** Where the spec of a host is. */
export const HOST_SPEC = '/etc/gate/gate.toml'

/**
 * Reads the spec that the first argument names, else that of the host, its lock, and the options that a compilation
 * depends on.
 */
export async function readSpecInput({ arguments: [file = HOST_SPEC], text, stdin }: Invocation): Promise<SpecInput> {
  const [podman, systemd] = [podmanVersion(text('podman')), systemdVersion(text('systemd'))]
  const [layout, settings] = [readLayout(text('layout')), await readSettings(text('settings'))]
  const lockFile = text('lock') ?? join(file === '-' ? '.' : dirname(file), 'gate.lock.json')
  return {
    file: file === '-' ? 'standard input' : file,
    text: file === '-' ? await readAll(stdin) : readNamed(file, `write one: ${sh`gatectl init ${file}`}`),
    lockFile,
    lockText: existsSync(lockFile) ? readNamed(lockFile) : undefined,
    options: {
      seed: hostSeed(),
      ...(podman && { podman }),
      ...(systemd && { systemd }),
      ...(layout && { layout }),
      ...(settings && { settings }),
    },
  }
}

/** Compiles what was read for some targets. */
export function compileInput(input: SpecInput, targets: readonly Target[]): Compiled | Refused {
  const { file, text, lockText, options } = input
  return compile(text, {
    file,
    targets,
    ...options,
    ...(lockText === undefined ? {} : { lock: lockText }),
  })
}

/** The value of --target, such as `quadlet,systemd`. */
export function targetList(text: string): Target[] {
  return text.split(',').map((word) => {
    const target = TARGET_NAMES.find((name) => name === word)
    if (target !== undefined) return target
    const near = nearest(word, TARGET_NAMES)
    const hint = near === undefined ? `there are: ${TARGET_NAMES.join(', ')}` : `did you mean ${near}?`
    throw usageFailure(`--target: unknown target "${word}"`, hint)
  })
}

function podmanVersion(text: string | undefined): CompileOptions['podman'] {
  if (text === undefined) return undefined
  const [, major, minor] = /^(\d{1,3})\.(\d{1,3})(?:\.\d+)?$/.exec(text) ?? []
  if (major === undefined || minor === undefined)
    throw usageFailure(`--podman: "${text}" is not a version`, 'write it as "podman --version" does, such as 5.4')
  return { major: Number(major), minor: Number(minor) }
}

function systemdVersion(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,4}$/.test(text))
    throw usageFailure(`--systemd: "${text}" is not a version`, 'write a whole number such as 257')
  return Number(text)
}

/** Random ports of this host differ from another's; machine-id(5), which every systemd host has. */
function hostSeed(): string {
  try {
    return readFileSync('/etc/machine-id', 'utf8').trim()
  } catch {
    return hostname()
  }
}

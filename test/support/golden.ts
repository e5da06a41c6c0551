import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { type Compiled, type CompileOptions, compile, type Refused } from '../../compiler/compile.ts'
import { renderDiagnostic } from '../../compiler/diagnostic.ts'
import type { OutputFile, Version } from '../../compiler/emit/output.ts'
import { TARGET_NAMES, type Target } from '../../schemas/words/targets.ts'
import { patched } from './golden-diff.ts'

/**
 * Each folder holds spec.toml or spec.json, maybe options.json and lock.json, and what is expected of them: whole,
 * below `expected/`, or as `expected.diff` against the golden that its options name as `base`.
 */
export const GOLDEN = join(import.meta.dirname, '../golden')

/** For places without systemd; a golden that is about them names them in its options. */
export const ELSEWHERE = ['compose', 'fly', 'launchd', 'render'] as const satisfies readonly Target[]
const HOST_TARGETS = TARGET_NAMES.filter((name) => !ELSEWHERE.some((other) => other === name))

const optionsSchema = z.strictObject({
  targets: z.array(z.enum(TARGET_NAMES)).optional(),
  podman: z.string().optional(),
  base: z.string().optional(),
  systemd: z.number().optional(),
})

export function goldenNames(): string[] {
  return readdirSync(GOLDEN).sort()
}

/** Compiles one golden spec. @returns path below `expected/` -> text; diagnostics stand in `diagnostics.txt` */
export function compileGolden(name: string): Map<string, string> {
  const { text, result } = goldenResult(name)
  const files = new Map(result.kind === 'compiled' ? result.files.map((made) => [made.path, made.text]) : [])
  if (result.diagnostics.length > 0)
    files.set('diagnostics.txt', `${result.diagnostics.map((d) => renderDiagnostic(d, text)).join('\n\n')}\n`)
  return files
}

/** What the compiler makes of one golden spec. @param changes in place of the options of the golden */
export function goldenResult(
  name: string,
  changes: Partial<CompileOptions> = {},
): { readonly text: string; readonly result: Compiled | Refused } {
  const folder = join(GOLDEN, name)
  const file = existsSync(join(folder, 'spec.toml')) ? 'spec.toml' : 'spec.json'
  const text = readFileSync(join(folder, file), 'utf8')
  const options = goldenOptions(name)
  const lock = readOptional(join(folder, 'lock.json'))
  const result = compile(text, {
    file,
    targets: options.targets ?? HOST_TARGETS,
    podman: goldenPodman(name),
    ...(options.systemd === undefined ? {} : { systemd: options.systemd }),
    ...(lock === undefined ? {} : { lock }),
    ...changes,
  })
  return { text, result }
}

/** The golden of which this one is a diff. */
export function baseOf(name: string): string | undefined {
  return goldenOptions(name).base
}

function goldenOptions(name: string) {
  return optionsSchema.parse(JSON.parse(readOptional(join(GOLDEN, name, 'options.json')) ?? '{}'))
}

/** The podman that a golden is for. */
export function goldenPodman(name: string): Version {
  const [major = 5, minor = 4] = (goldenOptions(name).podman ?? '5.4').split('.').map(Number)
  return { major, minor }
}

/** The files of a golden spec that compiles. @param changes in place of the options of the golden */
export function goldenFiles(name: string, changes: Partial<CompileOptions> = {}): readonly OutputFile[] {
  const { result } = goldenResult(name, changes)
  if (result.kind === 'refused') throw new Error(`${name} does not compile`)
  return result.files
}

/** The golden specs that a target is shown for. */
export function goldensOf(target: Target): string[] {
  return goldenNames().filter((name) => existsSync(join(GOLDEN, baseOf(name) ?? name, 'expected', target)))
}

/** What is expected of one golden spec, as `compileGolden` returns it. */
export function expectedGolden(name: string): Map<string, string> {
  const base = baseOf(name)
  if (base !== undefined) return patched(expectedGolden(base), readOptional(join(GOLDEN, name, 'expected.diff')) ?? '')
  const folder = join(GOLDEN, name, 'expected')
  if (!existsSync(folder)) return new Map()
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return new Map(
    files
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [path.slice(folder.length + 1), readFileSync(path, 'utf8')]),
  )
}

function readOptional(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

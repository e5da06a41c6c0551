import { join } from 'node:path'
import type { Compiled } from '../../../compiler/compile.ts'
import { LOCK_FILE } from '../../../schemas/deploy/lock.ts'
import { TARGET_NAMES } from '../../../schemas/words/targets.ts'
import { replaceFiles } from '../../../system/replace-files.ts'
import { failure, usageFailure } from '../../failure.ts'
import type { Invocation, Run } from '../../invocation.ts'
import { countText, diagnosticJson, diagnosticText } from '../../output/diagnostic-text.ts'
import { printable } from '../../output/printed.ts'
import { unifiedDiff } from '../../output/unified-diff.ts'
import { type Change, HOW, notWritten, type Plan, planOutput, writeOutput } from './output-directory.ts'
import { compileInput, readSpecInput, type SpecInput, targetList } from './spec-input.ts'

export const run: Run = async (invocation) => {
  const { text, flag, json, print, note } = invocation
  const [targets, directory] = [text('target'), text('out')]
  if (targets === undefined)
    throw usageFailure('gatectl compile: give --target A,B', `there are: ${TARGET_NAMES.join(', ')}`)
  if (directory === undefined || directory === '')
    throw usageFailure('gatectl compile: give --out DIR', 'DIR is created if it does not exist')
  const input = await readSpecInput(invocation)
  const result = compileInput(input, targetList(targets))
  const { diagnostics } = result
  if (!json && diagnostics.length > 0) note(`${diagnosticText(diagnostics, input.text)}\n`)
  if (result.kind === 'refused') {
    if (json) print(JSON.stringify({ kind: 'refused', diagnostics: diagnostics.map(diagnosticJson) }))
    else note(`${input.file}: ${countText(diagnostics)}; nothing was written`)
    return 1
  }
  const made = result.files.filter(({ path }) => path !== LOCK_FILE)
  const plan = converted(directory, () => planOutput(directory, made))
  const lock = lockChange(result, input)
  if (flag('check')) return reportDrift(invocation, result, plan, lock)
  refuseForeign(plan)
  if (lock !== undefined)
    converted(input.lockFile, () => replaceFiles([{ file: input.lockFile, text: lock.after.text, mode: 0o644 }], HOW))
  converted(directory, () => writeOutput(plan))
  reportWritten(invocation, result, plan, lock)
  return 0
}

/** @throws Failure in place of the system's error */
function converted<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error
    throw notWritten(path, error.message, error)
  }
}

type LockChange = Change & { readonly after: { readonly text: string; readonly mode: number } }

function lockChange({ files }: Compiled, { lockFile, lockText }: SpecInput): LockChange | undefined {
  const after = files.find(({ path }) => path === LOCK_FILE)
  if (after === undefined || after.text === lockText) return undefined
  const before = lockText === undefined ? undefined : { text: lockText, mode: after.mode }
  return { kind: before === undefined ? 'create' : 'update', path: lockFile, before, after }
}

function refuseForeign({ directory, foreign }: Plan): void {
  if (foreign.length === 0) return
  const shown = foreign.slice(0, 10).map((path) => join(directory, path))
  const more = foreign.length > shown.length ? ` and ${foreign.length - shown.length} more` : ''
  const detail = `in the way and not made by gatectl: ${shown.join(', ')}${more}`
  const hint = 'move these away, or choose another directory; nothing was written'
  throw failure('FOREIGN_FILE', detail, { hint })
}

/** Shows what a compilation would change. @returns 3 when there is anything */
function reportDrift(
  { json, print, note }: Invocation,
  { diagnostics }: Compiled,
  { directory, changes, foreign, kept }: Plan,
  lock: LockChange | undefined,
): 0 | 3 {
  const drift = [
    ...changes.map((change) => ({ ...change, path: join(directory, change.path) })),
    ...(lock ? [lock] : []),
  ]
  const clean = drift.length === 0 && foreign.length === 0
  if (json) {
    const shown = drift.map((change) => ({ change: change.kind, path: change.path, diff: changeText(change) }))
    print(
      JSON.stringify({
        kind: 'checked',
        drift: !clean,
        changes: shown,
        foreign,
        kept,
        diagnostics: diagnostics.map(diagnosticJson),
      }),
    )
    return clean ? 0 : 3
  }
  for (const change of drift) print(printable(changeText(change)))
  for (const path of foreign) note(`in the way and not made by gatectl: ${join(directory, path)}`)
  noteKept(note, directory, kept)
  note(clean ? 'no difference' : `files that differ: ${drift.length + foreign.length}`)
  return clean ? 0 : 3
}

function changeText({ path, before, after }: Change): string {
  const mode = (bits: number) => bits.toString(8).padStart(4, '0')
  const modes =
    before !== undefined && after !== undefined && before.mode !== after.mode
      ? [`${path}: mode ${mode(before.mode)} must be ${mode(after.mode)}`]
      : []
  if (before?.text === after?.text) return modes.join('\n')
  const names = { before: path, after: `${path}\tcompiled` }
  return [...modes, unifiedDiff(before?.text, after?.text, names)].join('\n')
}

function reportWritten(
  { json, print, note }: Invocation,
  { files, diagnostics }: Compiled,
  { directory, changes, kept }: Plan,
  lock: LockChange | undefined,
): void {
  const made = files.filter(({ path }) => path !== LOCK_FILE)
  if (json) {
    const changed = changes.map(({ kind, path }) => ({ change: kind, path }))
    const shown = made.map(({ path, install, mode }) => ({ path, install, mode }))
    print(
      JSON.stringify({
        kind: 'compiled',
        files: shown,
        changes: changed,
        kept,
        lock_changed: lock !== undefined,
        diagnostics: diagnostics.map(diagnosticJson),
      }),
    )
    return
  }
  const count = (kind: Change['kind']) => changes.filter((change) => change.kind === kind).length
  print(
    `${made.length} files in ${directory}: ${count('create')} new, ${count('update')} changed, ${count('remove')} removed`,
  )
  if (lock !== undefined) print(`${lock.path}: written; keep it with the spec`)
  noteKept(note, directory, kept)
}

function noteKept(note: Invocation['note'], directory: string, kept: readonly string[]): void {
  for (const path of kept) note(`no longer made, but changed since: ${join(directory, path)} stays; remove it yourself`)
}

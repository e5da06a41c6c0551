import type { z } from 'zod'
import type { SpecPath } from '../../schemas/spec/path.ts'
import { type Spec, specSchema, type WrittenSpec } from '../../schemas/spec/spec.ts'
import { suggestion } from '../../schemas/words/nearest.ts'
import type { Finding } from '../diagnostic.ts'
import { keysBelow, metaAt } from './schema-walk.ts'

/** The spec, with what was wrong cut out so that the later checks can still find more; absent when nothing is left. */
export type ReadSpec = {
  readonly spec: Spec | undefined
  /** The same without defaults. */
  readonly written: WrittenSpec
  readonly findings: readonly Finding[]
}

/** How often cutting out may uncover more: a value, its entry, its collection. */
const CUTS = 4

export function readSpec(value: unknown): ReadSpec {
  const first = specSchema.safeParse(value)
  if (first.success) return { spec: first.data, written: value as WrittenSpec, findings: [] }
  const findings = first.error.issues.flatMap((issue) => issueFindings(issue, value))
  let rest = structuredClone(value)
  let issues = first.error.issues
  for (let cut = 0; cut < CUTS; cut++) {
    for (const issue of issues) for (const path of wrongPaths(issue)) rest = without(rest, path)
    const again = specSchema.safeParse(rest)
    if (again.success) return { spec: again.data, written: rest as WrittenSpec, findings }
    issues = again.error.issues
  }
  return { spec: undefined, written: {}, findings }
}

function issueFindings(issue: z.core.$ZodIssue, root: unknown): Finding[] {
  const path = issue.path as SpecPath
  const value = valueAt(root, path)
  if (issue.code === 'unrecognized_keys') {
    const known = keysBelow(specSchema, path)
    return issue.keys.map((key) => ({
      code: 'UNKNOWN_KEY',
      path: [...path, key],
      part: 'key',
      message: `unknown key "${key}"`,
      hint: suggestion(key, known, 'key'),
    }))
  }
  if (value === undefined) {
    const name = String(path.at(-1) ?? '')
    const { description } = metaAt(specSchema, path)
    const hint = description === undefined ? {} : { hint: description }
    return [{ code: 'MISSING_KEY', path, part: 'key', message: `the key "${name}" is required here`, ...hint }]
  }
  if (issue.code === 'invalid_union' && metaAt(specSchema, path).isSecret) {
    const message =
      typeof value === 'string'
        ? 'a secret cannot be written in the spec itself'
        : 'this is not a reference to a secret'
    return [
      { code: typeof value === 'string' ? 'LITERAL_SECRET' : 'INVALID_VALUE', path, message, hint: issue.message },
    ]
  }
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String)
    const hint = suggestion(String(value), values, 'value')
    return [{ code: 'INVALID_VALUE', path, message: `${JSON.stringify(value)} is not an allowed value`, hint }]
  }
  if (issue.code === 'invalid_type')
    return [{ code: 'WRONG_TYPE', path, message: `expected ${expectedText(issue.expected, path)}` }]
  const reasons = issue.code === 'invalid_key' ? issue.issues.map((inner) => inner.message) : [issue.message]
  const part = issue.code === 'invalid_key' ? 'key' : 'value'
  const shown = part === 'key' ? String(path.at(-1)) : value
  return [
    {
      code: 'INVALID_VALUE',
      path,
      part,
      message: `${JSON.stringify(shown)} is not allowed here`,
      hint: reasons.join('; '),
    },
  ]
}

/** `a number`, or `a table, such as gpu = { kind = … }` */
function expectedText(expected: string, path: SpecPath): string {
  if (expected !== 'object' && expected !== 'record') return `${/^[aeiou]/.test(expected) ? 'an' : 'a'} ${expected}`
  const [key = 'NAME'] = keysBelow(specSchema, path)
  const name = path.at(-1)
  return typeof name === 'string' ? `a table, such as ${name} = { ${key} = … }` : 'a table'
}

function wrongPaths(issue: z.core.$ZodIssue): SpecPath[] {
  const path = issue.path as SpecPath
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path]
}

function valueAt(root: unknown, path: SpecPath): unknown {
  return path.reduce<unknown>(
    (value, step) => (isRecord(value) && Object.hasOwn(value, step) ? value[step] : undefined),
    root,
  )
}

/** The value without what is at the path; without its parent when a required key is missing. */
function without(root: unknown, path: SpecPath): unknown {
  const last = path.at(-1)
  if (last === undefined) return {}
  const parent = valueAt(root, path.slice(0, -1))
  // an earlier cut took it away already
  if (!isRecord(parent)) return root
  if (Array.isArray(parent) || !Object.hasOwn(parent, last)) return without(root, path.slice(0, -1))
  delete parent[last]
  return root
}

function isRecord(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null
}

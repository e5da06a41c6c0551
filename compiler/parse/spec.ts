import type { z } from 'zod'
import { pathId, type SpecPath } from '../../schemas/spec/path.ts'
import { type Spec, specSchema, type WrittenSpec } from '../../schemas/spec/spec.ts'
import { issueWords, textForm } from '../../schemas/words/issue.ts'
import { suggestion } from '../../schemas/words/nearest.ts'
import { withTargetTables } from '../../schemas/words/target-text.ts'
import type { Finding } from '../diagnostic.ts'
import { keyHabit, valueHabit } from './habits.ts'
import { keysBelow, metaAt, schemaAt } from './schema-walk.ts'
import { variableFindings } from './variables.ts'

/** The spec, with what was wrong cut out so that the later checks can still find more; absent when nothing is left. */
export type ReadSpec = {
  readonly spec: Spec | undefined
  /** The same without defaults. */
  readonly written: WrittenSpec
  readonly findings: readonly Finding[]
}

/** How often cutting out may uncover more: a value, its entry, its collection. */
const CUTS = 4

export function readSpec(given: unknown): ReadSpec {
  const written = withDefaults(given)
  const backends = valueAt(written, ['backends'])
  const value = withTargetTables(written, new Set(isRecord(backends) ? Object.keys(backends) : []))
  const first = specSchema.safeParse(value)
  const variables = variableFindings(value)
  if (first.success) return { spec: first.data, written: value as WrittenSpec, findings: variables }
  const wrong = withNamesMended(first.error.issues, value).flatMap((issue) => issueFindings(issue, value))
  const isAt = (some: readonly Finding[], { path }: Finding) => some.some((one) => pathId(one.path) === pathId(path))
  // a variable has the form of nothing; that a secret cannot be written says more
  const said = wrong.filter((one) => one.code === 'LITERAL_SECRET' || !isAt(variables, one))
  const findings = [...said, ...variables.filter((one) => !isAt(said, one))]
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

/** The schema looks into no entry whose name is wrong: once more, with names that are fine, for what is wrong inside. */
function withNamesMended(issues: readonly z.core.$ZodIssue[], value: unknown): readonly z.core.$ZodIssue[] {
  const named = issues.filter(({ code }) => code === 'invalid_key')
  if (named.length === 0) return issues
  const mended = structuredClone(value)
  const names = new Map<string, SpecPath>()
  for (const [i, { path }] of named.entries()) {
    const parent = valueAt(mended, path.slice(0, -1) as SpecPath)
    const [name, better] = [String(path.at(-1)), `mended${i}`]
    if (!isRecord(parent) || !Object.hasOwn(parent, name) || Object.hasOwn(parent, better)) continue
    parent[better] = parent[name]
    delete parent[name]
    names.set(pathId([...path.slice(0, -1), better] as SpecPath), path as SpecPath)
  }
  const inside = (specSchema.safeParse(mended).error?.issues ?? []).flatMap((issue): z.core.$ZodIssue[] => {
    for (let length = issue.path.length; length > 0; length--) {
      const path = names.get(pathId(issue.path.slice(0, length) as SpecPath))
      if (path !== undefined) return [{ ...issue, path: [...path, ...issue.path.slice(length)] }]
    }
    return []
  })
  return [...issues, ...inside]
}

/** Each backend with the keys of `[defaults.backend]` that it does not have itself; tables are taken whole. */
function withDefaults(value: unknown): unknown {
  if (!isRecord(value) || !isRecord(value['defaults']) || !isRecord(value['backends'])) return value
  const { backend } = value['defaults']
  if (!isRecord(backend) || Array.isArray(backend)) return value
  // what is wrong with them is said once, where they are
  const shared = Object.entries(backend).filter(([key, inner]) => isDefault({ [key]: inner }))
  const backends = Object.entries(value['backends']).map(([name, own]) => [
    name,
    isRecord(own) && !Array.isArray(own) ? { ...Object.fromEntries(shared), ...own } : own,
  ])
  return { ...value, backends: Object.fromEntries(backends) }
}

const isDefault = (backend: object): boolean => specSchema.shape.defaults.safeParse({ backend }).success

function issueFindings(issue: z.core.$ZodIssue, root: unknown): Finding[] {
  const path = issue.path as SpecPath
  const value = valueAt(root, path)
  const words = issueWords(issue, value, 'toml')
  if (issue.code === 'invalid_union' && value !== undefined && metaAt(specSchema, path).isSecret) {
    const isLiteral = typeof value === 'string'
    const message = isLiteral ? 'a secret cannot be written in the spec itself' : 'this is not a reference to a secret'
    return [{ code: isLiteral ? 'LITERAL_SECRET' : 'INVALID_VALUE', path, message, hint: issue.message }]
  }
  switch (words.kind) {
    case 'unknown-keys': {
      const known = keysBelow(specSchema, path)
      return words.keys.map((key) => ({
        code: 'UNKNOWN_KEY',
        path: [...path, key],
        part: 'key',
        message: `unknown key "${key}"`,
        hint: keyHabit([...path, key]) ?? suggestion(key, known, 'key'),
      }))
    }
    case 'missing': {
      const name = String(path.at(-1) ?? '')
      const { description } = metaAt(specSchema, path)
      const hint = description === undefined ? {} : { hint: description }
      return [{ code: 'MISSING_KEY', path, part: 'key', message: `the key "${name}" is required here`, ...hint }]
    }
    case 'not-one-of': {
      const hint = suggestion(typeof value === 'string' ? value : '', words.options, 'value')
      return [{ code: 'INVALID_VALUE', path, message: `${shownValue(value)} is not an allowed value`, hint }]
    }
    case 'wrong-type':
      return [wrongType(path, words.expected, value)]
    case 'bad-name':
      return [invalidValue(path, 'key', path.at(-1), words.reason)]
    case 'invalid':
      return [invalidValue(path, 'value', value, valueHabit(path, value) ?? words.reason)]
  }
}

function wrongType(path: SpecPath, expected: string, value: unknown): Finding {
  const hint = valueHabit(path, value) ?? rewritten(expected, value) ?? formAndUse(expected, path)
  const message = `expected ${withExample(expected, path)}`
  return { code: 'WRONG_TYPE', path, message, ...(hint === undefined ? {} : { hint }) }
}

/** The same value in the type that is wanted, where that can be guessed. */
function rewritten(expected: string, value: unknown): string | undefined {
  if (expected === 'a boolean') return 'write true or false'
  if (expected === 'an array' && typeof value === 'string') return `write [${JSON.stringify(value)}]`
  if (/^an? (?:integer|number)$/.test(expected) && typeof value === 'string' && /^\d+(?:\.\d+)?$/.test(value))
    return `write ${value}`
  return undefined
}

/** What a text has to look like where another type was written, and what it is for. */
function formAndUse(expected: string, path: SpecPath): string | undefined {
  const use = aboutKey(path)
  const schema = expected === 'a string' ? schemaAt(specSchema, path) : undefined
  const form = schema === undefined ? undefined : textForm(schema)
  if (form === undefined || use?.includes('such as')) return use
  return use === undefined ? form : `${form}; ${use}`
}

/** What the key is for, or what it may hold. */
function aboutKey(path: SpecPath): string | undefined {
  const { description } = metaAt(specSchema, path)
  if (description !== undefined) return description
  const known = keysBelow(specSchema, path)
  return known.length === 0 ? undefined : `known keys: ${known.join(', ')}`
}

function invalidValue(path: SpecPath, part: 'key' | 'value', shown: unknown, hint: string): Finding {
  return { code: 'INVALID_VALUE', path, part, message: `${shownValue(shown)} is not allowed here`, hint }
}

const LONGEST_SHOWN = 200

/** As JSON, which has no word for nan and inf of TOML. */
function shownValue(value: unknown): string {
  const text =
    typeof value === 'number' ? String(value).replace('NaN', 'nan').replace('Infinity', 'inf') : JSON.stringify(value)
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text
}

/** `a number`, or `a table, such as gpu = { kind = … }` */
function withExample(expected: string, path: SpecPath): string {
  const name = path.at(-1)
  if (expected !== 'a table' || typeof name !== 'string') return expected
  const [key = 'NAME'] = keysBelow(specSchema, path)
  return `a table, such as ${name} = { ${key} = … }`
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

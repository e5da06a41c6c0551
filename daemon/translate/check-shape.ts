import { GateError } from '../../schemas/words/errors.ts'
import { isRecord, type JsonRecord } from './json-value.ts'
import type { Field, ObjectRule, RecordRule, Shape, TextRule } from './shape.ts'

/** Enough to find what is wrong, and to name what is dropped. */
const MOST_PROBLEMS = 8
const MOST_UNREAD = 64
const LONGEST_NAME = 100

type Findings = {
  /** From the request to the value that is looked at: keys, and places in lists. */
  readonly path: (string | number)[]
  readonly problems: string[]
  /** Where the first of them is. */
  param: string | null
  readonly unread: Set<string>
  readonly spelled: (object: JsonRecord) => JsonRecord
}

/**
 * Looks at a whole request. Null counts as left out, and so does a list or an object that is empty.
 * @param spelled an object with its keys as they are called in `shape`
 * @returns fields that are set and not read, without places in lists: `messages.name`
 * @throws GateError BAD_REQUEST that says what is wrong where
 */
export function checkShape(
  request: JsonRecord,
  shape: Shape,
  spelled: (object: JsonRecord) => JsonRecord = (object) => object,
): readonly string[] {
  const findings: Findings = { path: [], problems: [], param: null, unread: new Set(), spelled }
  checkValue(findings, request, shape)
  const { problems, param, unread } = findings
  if (param === null) return [...unread]
  const more = problems.length < MOST_PROBLEMS ? '' : '; there may be more'
  throw new GateError('BAD_REQUEST', problems.join('; ') + more, { param })
}

function checkValue(findings: Findings, value: unknown, shape: Shape): void {
  switch (typeof value) {
    case 'string':
      if (shape.text === undefined) mismatch(findings, shape)
      else checkText(findings, value, shape.text, shape)
      return
    case 'number':
      if (shape.number !== true) mismatch(findings, shape)
      return
    case 'boolean':
      if (shape.boolean !== true) mismatch(findings, shape)
      return
    default:
      if (Array.isArray(value) && shape.list !== undefined) checkList(findings, value, shape.list)
      else if (isRecord(value) && shape.object !== undefined) checkObject(findings, value, shape.object)
      else mismatch(findings, shape)
  }
}

function mismatch(findings: Findings, shape: Shape): void {
  const { text, number, boolean, list: entries, object } = shape
  const allowed = [
    ...(text === undefined ? [] : text.kind === 'words' ? text.words : ['a string']),
    ...(number === true ? ['a number'] : []),
    ...(boolean === true ? ['true', 'false'] : []),
    ...(entries === undefined ? [] : ['an array']),
    ...(object === undefined ? [] : ['an object']),
  ]
  problem(findings, `must be ${oneOf(allowed)}`)
}

function checkText(findings: Findings, value: string, rule: TextRule, shape: Shape): void {
  if (rule.kind === 'filled' && value === '') problem(findings, 'must not be empty')
  if (rule.kind !== 'words' || rule.words.includes(rule.ignoresCase === true ? value.toUpperCase() : value)) return
  if (rule.others === 'refuse') mismatch(findings, shape)
  else noteUnread(findings)
}

function checkList(findings: Findings, entries: readonly unknown[], shape: Shape): void {
  const { path, problems } = findings
  for (let index = 0; index < entries.length && problems.length < MOST_PROBLEMS; index += 1) {
    path.push(index)
    checkValue(findings, entries[index], shape)
    path.pop()
  }
}

function checkObject(findings: Findings, given: JsonRecord, rule: ObjectRule): void {
  if (rule.kind === 'any') return
  if (rule.kind === 'unread') {
    noteUnread(findings)
    return
  }
  const object = findings.spelled(given)
  if (object !== given && Object.keys(object).length < Object.keys(given).length) {
    problem(findings, 'has the same field in two spellings')
    return
  }
  if (rule.kind === 'record') {
    checkFields(findings, object, rule, null)
    return
  }
  const chosen = rule.kind === 'choice' ? chosenBy(findings, object, rule) : keyedBy(findings, object, rule.of)
  if (chosen === null) return
  if (chosen.kind === 'record') checkFields(findings, object, chosen, rule.kind === 'choice' ? rule.by : null)
  else checkObject(findings, object, chosen)
}

function chosenBy(
  findings: Findings,
  object: JsonRecord,
  { by, of, usual: without, others }: Extract<ObjectRule, { readonly kind: 'choice' }>,
): ObjectRule | null {
  const said = object[by] ?? without
  const rule = typeof said !== 'string' ? null : Object.hasOwn(of, said) ? (of[said] ?? null) : others
  if (rule !== null) return rule
  const isMissing = said === undefined || said === null
  problemAt(
    findings,
    by,
    isMissing ? 'is required' : `must be ${others === null ? oneOf(Object.keys(of)) : 'a string'}`,
  )
  return null
}

function keyedBy(findings: Findings, object: JsonRecord, of: Readonly<Record<string, ObjectRule>>): ObjectRule | null {
  const all = Object.keys(of)
  const [key, another] = all.filter((name) => isSaid(object[name]))
  if (key !== undefined && another === undefined) return of[key] ?? null
  problem(
    findings,
    another === undefined ? `must have ${oneOf(all)}` : `has both ${key} and ${another}; send one of them`,
  )
  return null
}

const isSaid = (value: unknown): boolean => value !== undefined && value !== null

function checkFields(
  findings: Findings,
  object: JsonRecord,
  { fields, required, either = [], isOpen }: RecordRule,
  by: string | null,
): void {
  for (const key of Object.keys(object)) {
    const value = object[key]
    const field = fields.get(key)
    if (value === null || key === by || (field === undefined && isOpen === true)) continue
    findings.path.push(key)
    checkField(findings, value, field)
    findings.path.pop()
    if (findings.problems.length >= MOST_PROBLEMS) return
  }
  for (const name of required) if (!isSaid(object[name])) problemAt(findings, name, 'is required')
  if (either.length === 0) return
  const [key, another] = either.filter((name) => isSaid(object[name]))
  if (another !== undefined) problem(findings, `has both ${key} and ${another}; send one of them`)
}

function checkField(findings: Findings, value: unknown, field: Field | undefined): void {
  if (field === undefined || field.isLost !== undefined || field.gone !== undefined) {
    if (isEmpty(value)) return
    if (field?.gone !== undefined) problem(findings, field.gone)
    else if (field?.isLost === undefined || field.isLost(value)) noteUnread(findings)
  } else checkValue(findings, value, field)
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0
  return isRecord(value) && Object.keys(value).length === 0
}

function problemAt(findings: Findings, key: string, what: string): void {
  findings.path.push(key)
  problem(findings, what)
  findings.path.pop()
}

function problem(findings: Findings, what: string): void {
  const where = shownPath(findings.path, (index) => `[${index}]`)
  findings.param ??= where
  findings.problems.push(`${where}: ${what}`)
}

function noteUnread({ path, unread }: Findings): void {
  if (unread.size < MOST_UNREAD) unread.add(shownPath(path, () => ''))
}

function shownPath(path: Findings['path'], shownIndex: (index: number) => string): string {
  let shown = ''
  for (const step of path) {
    if (typeof step === 'number') shown += shownIndex(step)
    else shown += (shown === '' ? '' : '.') + step.slice(0, LONGEST_NAME)
  }
  return shown
}

function oneOf(all: readonly string[]): string {
  const named = all.filter((one) => one !== '')
  const last = named.at(-1) ?? ''
  return named.length < 2 ? last : `${named.slice(0, -1).join(', ')} or ${last}`
}

import { GateError } from '../../schemas/words/errors.ts'
import { isJson } from '../../syntax/json/is-json.ts'
import type { FeatureTable } from './features.ts'
import { isRecord, parsedRecord } from './json-value.ts'
import type { AnswerPart, Finish, NeutralAnswer, NeutralRequest } from './neutral.ts'

/** What a model wrote that is to be JSON. `schema`: what it must fit, as JSON; null: it must be an object. */
type Question = { readonly text: string; readonly schema: string | null; readonly isCall: boolean }
/** `json`: what it means. `unchecked`: it could not be checked. */
type Verdict =
  | { readonly kind: 'sound'; readonly json: string }
  | { readonly kind: 'wrong'; readonly problem: string }
  | { readonly kind: 'unchecked' }

/** Checks JSON that a model wrote, and repairs it where it means one thing. Never fails. */
export type CheckJson = (question: Question) => Verdict | Promise<Verdict>

/**
 * What becomes of the arguments of calls. check: repaired, and refused where they do not fit. repair: repaired, and
 * refused only where they are not an object. pass: as they come.
 */
export type CallCare = 'check' | 'repair' | 'pass'

/** `message` says what is wrong with it, for the client; `logged` does so without what the model wrote. */
type Misfit = { readonly message: string; readonly logged: string }
export type Checked = { readonly text: string } | Misfit
type Check = (text: string, name: string) => Checked | Promise<Checked>

/** How an answer is checked before a client sees it; null: that part of it is not. */
export type Checks = {
  /** The arguments of a call of a tool. */
  readonly call: Check | null
  /** The text of an answer that is to be JSON, which its upstream was only asked for in words. */
  readonly answer: Check | null
  /** The client is told of a call once all of it is there. */
  readonly hasWholeCalls?: boolean
}

/** For clients that get calls whole, whatever the operator lets pass: they would take `{}` for arguments. */
export const objectsAlone =
  (toolName: (name: string) => string): Check =>
  (text, name): Checked => {
    if (text === '' || parsedRecord(text) !== null) return { text }
    return misfitOf(`the upstream called the tool "${toolName(name)}" with wrong arguments`)('not a JSON object')
  }

/**
 * What Gate has to answer for: calls, and JSON that the upstream cannot promise.
 * @param toolName what the client calls a tool
 * @returns null when that is nothing
 */
export function checksOf(
  request: NeutralRequest,
  upstream: FeatureTable,
  {
    check,
    calls,
    toolName,
    model = '',
  }: {
    readonly check: CheckJson
    readonly calls: CallCare
    readonly toolName: (name: string) => string
    /** As the upstream knows it. */
    readonly model?: string
  },
): Checks | null {
  const { tools, answerForm } = request
  const asked = answerForm === null ? null : upstream[answerForm.kind === 'json' ? 'JSON answers' : 'answer schema']
  const isEmulated = asked?.does === 'emulate' || asked?.isEmulatedFor?.(request, model) === true
  const checksCalls = calls !== 'pass' && tools.length > 0
  if (!isEmulated && !checksCalls) return null
  const schema = answerForm?.kind === 'schema' ? JSON.stringify(answerForm.schema) : null
  return {
    call: checksCalls ? checkOfCalls(request, { check, isFree: calls === 'repair', toolName }) : null,
    answer: isEmulated
      ? (text) => {
          const misfit = misfitOf('the upstream did not answer with the JSON asked for')
          return after(check({ text, schema, isCall: false }), (verdict) => checkedOf(verdict, text, misfit))
        }
      : null,
  }
}

function checkOfCalls(
  { tools }: NeutralRequest,
  {
    check,
    isFree,
    toolName,
  }: { readonly check: CheckJson; readonly isFree: boolean; readonly toolName: (name: string) => string },
): Check {
  return (text, name) => {
    const tool = tools.find((one) => one.name === name)
    const schema = tool === undefined || !isRecord(tool.schema) ? null : JSON.stringify(tool.schema)
    const called = `the upstream called the tool "${toolName(name)}" with wrong arguments`
    const misfit = misfitOf(called, tool === undefined ? 'the upstream called an unknown tool wrongly' : called)
    return after(check({ text, schema, isCall: true }), (verdict) => {
      if (verdict.kind !== 'wrong' || !isFree || schema === null) return checkedOf(verdict, text, misfit)
      return after(check({ text, schema: null, isCall: true }), (object) => checkedOf(object, text, misfit))
    })
  }
}

const misfitOf =
  (what: string, logged = what) =>
  (problem: string): Misfit => ({ message: `${what}: ${problem}`, logged })

function checkedOf(verdict: Verdict, text: string, misfit: (problem: string) => Checked): Checked {
  switch (verdict.kind) {
    case 'sound':
      return { text: verdict.json }
    case 'wrong':
      return misfit(verdict.problem)
    case 'unchecked':
      return isJson(text) ? { text } : misfit('not JSON')
  }
}

/** At once where it is known at once. */
function after<In, Out>(value: In | Promise<In>, then: (value: In) => Out | Promise<Out>): Out | Promise<Out> {
  return value instanceof Promise ? value.then(then) : then(value)
}

/**
 * A whole answer as its client may see it. @throws GateError UPSTREAM_FAILED with what is wrong with it
 */
export function checkedAnswer(
  { call, answer }: Checks,
  whole: NeutralAnswer,
  then: (answer: NeutralAnswer) => Buffer,
): Buffer | Promise<Buffer> {
  const isSaid = isJsonDue(whole.finish) && whole.parts.filter(({ kind }) => kind === 'text').length === 1
  const results = whole.parts.map((part): AnswerPart | Promise<AnswerPart> => {
    if (part.kind === 'call' && call !== null) {
      return after(call(part.json, part.name), (checked) => ({ ...part, json: textOf(checked) }))
    }
    if (part.kind !== 'text' || answer === null || !isSaid) return part
    return after(answer(part.text, ''), (checked) => ({ ...part, text: textOf(checked) }))
  })
  const parts = results.filter((one): one is AnswerPart => !(one instanceof Promise))
  if (parts.length === results.length) return then({ ...whole, parts })
  return Promise.all(results).then((all) => then({ ...whole, parts: all }))
}

/** Whether an answer that ended so is complete: neither cut, nor refused, nor one that calls tools first. */
export const isJsonDue = (finish: Finish): boolean => finish === 'end' || finish === 'stop-sequence'

function textOf(checked: Checked): string {
  if ('message' in checked) throw new GateError('UPSTREAM_FAILED', checked.message, { logged: checked.logged })
  return checked.text
}

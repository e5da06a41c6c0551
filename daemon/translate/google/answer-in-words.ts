import type { NeutralRequest } from '../neutral.ts'

/** They refuse `responseMimeType: application/json` beside functions, which Gemini 3 takes. */
const EITHER = /gemini-[12]/

/** Whether the form of the answer can be asked for in words alone. @param model as Google knows it */
export function asksInWords({ answerForm, tools }: NeutralRequest, model: string): boolean {
  return answerForm !== null && tools.length > 0 && EITHER.test(model)
}

/** What is asked for, in words. */
export function wordsFor(form: NonNullable<NeutralRequest['answerForm']>): string {
  if (form.kind === 'json') return 'Unless you call a function, answer with one JSON object, and with nothing else.'
  return `Unless you call a function, answer with JSON alone, of this schema: ${JSON.stringify(form.schema)}`
}

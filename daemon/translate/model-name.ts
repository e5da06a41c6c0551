import { GateError } from '../../schemas/words/errors.ts'

/** The model's name is kept in usage rows, metrics and health of targets: it must not be as long as a client likes. */
export const MAX_MODEL_CHARACTERS = 256
const DOT_SEGMENT = /(?:^|\/)\.\.?(?:\/|$)/

/** What is wrong with the name of a model that a client sends, in words that follow its field; null: nothing. */
export function faultIn(model: string): string | null {
  if (model.length > MAX_MODEL_CHARACTERS) return `is longer than ${MAX_MODEL_CHARACTERS} characters`
  // Google's API has it in the path, where they would lead to other paths, and past what a key may use
  if (DOT_SEGMENT.test(model)) return 'has "." or ".." between slashes'
  return model.isWellFormed() ? null : 'has half of a surrogate pair'
}

/** @param model null: it is too long to be read @throws GateError BAD_REQUEST */
export function checkModel(model: string | null): string {
  const fault = model === null ? `is longer than ${MAX_MODEL_CHARACTERS} characters` : faultIn(model)
  if (model !== null && fault === null) return model
  throw new GateError('BAD_REQUEST', `"model" ${fault}`, { param: 'model' })
}

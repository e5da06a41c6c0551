import type { Allowance } from '../../schemas/words/allowance.ts'

/** What clients may write for one and the same model, and the category it is in. */
export type Named = { readonly names: readonly string[]; readonly category?: string | undefined }

/** Whether a key may use a model; null: it may use all of them. */
export function mayUse(allowed: Allowance | null, { names, category }: Named): boolean {
  if (allowed === null) return true
  if (category !== undefined && allowed.categories.includes(category)) return true
  return allowed.models.some((model) => {
    const beginning = beginningIn(model)
    return names.some((name) => (beginning === null ? name === model : name.startsWith(beginning)))
  })
}

/** Whether a key may use `upstream/…`, of whatever name. */
export function mayUseSome(allowed: Allowance | null, upstream: string): boolean {
  if (allowed === null) return true
  const own = `${upstream}/`
  return allowed.models.some((model) => {
    const beginning = beginningIn(model)
    return model.startsWith(own) || (beginning !== null && own.startsWith(beginning))
  })
}

const beginningIn = (model: string): string | null => (model.endsWith('*') ? model.slice(0, -1) : null)

import type { KeyInfo } from '../../schemas/api/keys.ts'

/** What a key may use, in a few words. */
export function allowanceText({
  models,
  categories,
  pinned,
}: Pick<KeyInfo, 'models' | 'categories' | 'pinned'>): string {
  if (pinned !== undefined) return `${pinned} for all`
  if (models === undefined && categories === undefined) return 'all'
  const all = [...(models ?? []), ...(categories ?? []).map((category) => `category ${category}`)]
  return all.length === 0 ? 'none' : all.join(', ')
}

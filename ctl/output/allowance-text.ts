import type { TokenInfo } from '../../schemas/admin.ts'

/** What a key may use, in a few words. */
export function allowanceText({ models, categories }: Pick<TokenInfo, 'models' | 'categories'>): string {
  if (models === undefined && categories === undefined) return 'all'
  const all = [...(models ?? []), ...(categories ?? []).map((category) => `category ${category}`)]
  return all.length === 0 ? 'none' : all.join(', ')
}

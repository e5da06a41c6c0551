/**
 * What a key may use: these models, as clients write them (one that ends in `*` stands for all that begin so), and all
 * models in these categories. `pinned`: the one that answers whatever model is asked for; it is among `models`.
 */
export type Allowance = {
  readonly models: readonly string[]
  readonly categories: readonly string[]
  readonly pinned?: string
}

import type { SpecPath } from '../../../schemas/spec/path.ts'

/** What every node of a deployment carries: the part of the spec it comes from. */
export type Node = { readonly origin: SpecPath }

export type Address =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }

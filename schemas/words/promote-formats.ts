/** What `gatectl config promote` can print. */
export const PROMOTE_FORMATS = ['nix', 'spec'] as const
export type PromoteFormat = (typeof PROMOTE_FORMATS)[number]

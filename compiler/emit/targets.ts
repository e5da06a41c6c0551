import { emitNginx } from './nginx.ts'
import { emitNix } from './nix.ts'
import type { Emitter } from './output.ts'
import { emitQuadlet } from './quadlet.ts'

/** Every target by name. A new one is a file `emit/<target>.ts` and a line here. */
export const TARGETS = {
  nginx: emitNginx,
  nix: emitNix,
  quadlet: emitQuadlet,
} as const satisfies Record<string, Emitter>

export type Target = keyof typeof TARGETS

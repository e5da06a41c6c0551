import type { Target } from '../../schemas/targets.ts'
import { emitCaddy } from './caddy.ts'
import { emitClient } from './client.ts'
import { emitCompose } from './compose.ts'
import { emitDeclared } from './declared.ts'
import { emitDnsmasq } from './dnsmasq.ts'
import { emitFly } from './fly.ts'
import { emitLaunchd } from './launchd.ts'
import { emitNftables } from './nftables.ts'
import { emitNginx } from './nginx.ts'
import { emitNix } from './nix.ts'
import type { Emitter } from './output.ts'
import { emitQuadlet } from './quadlet.ts'
import { emitRender } from './render.ts'
import { emitSystemd } from './systemd.ts'

/** Every target by name. A new one is a file `emit/<target>.ts`, a line here and its name in `schemas/targets.ts`. */
export const TARGETS: Readonly<Record<Target, Emitter>> = {
  caddy: emitCaddy,
  client: emitClient,
  compose: emitCompose,
  declared: emitDeclared,
  dnsmasq: emitDnsmasq,
  fly: emitFly,
  launchd: emitLaunchd,
  nftables: emitNftables,
  nginx: emitNginx,
  nix: emitNix,
  quadlet: emitQuadlet,
  render: emitRender,
  systemd: emitSystemd,
}

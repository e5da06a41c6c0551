import type { Target } from '../../schemas/words/targets.ts'
import { emitCaddy } from './caddy/caddy.ts'
import { emitClient } from './client/client.ts'
import { emitCompose } from './compose/compose.ts'
import { emitDeclared } from './declared/declared.ts'
import { emitDnsmasq } from './dnsmasq/dnsmasq.ts'
import { emitFly } from './fly/fly.ts'
import { emitLaunchd } from './launchd/launchd.ts'
import { emitNftables } from './nftables/nftables.ts'
import { emitNginx } from './nginx/nginx.ts'
import { emitNix } from './nix/nix.ts'
import type { Emitter } from './output.ts'
import { emitQuadlet } from './quadlet/quadlet.ts'
import { emitRender } from './render/render.ts'
import { emitSystemd } from './systemd/systemd.ts'

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

/** Names of what the compiler can make; here and not in compiler/, so that gatectl's start loads no compiler. */
export const TARGET_NAMES = [
  'caddy',
  'client',
  'compose',
  'declared',
  'dnsmasq',
  'fly',
  'launchd',
  'nftables',
  'nginx',
  'nix',
  'quadlet',
  'render',
  'systemd',
] as const

export type Target = (typeof TARGET_NAMES)[number]

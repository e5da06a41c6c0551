/**
 * Where ACME is spoken when no directory is set, and what the CA calls itself in CAA records.
 * @see https://letsencrypt.org/docs/staging-environment/
 */
export const LETS_ENCRYPT = {
  directory: 'https://acme-v02.api.letsencrypt.org/directory',
  staging: 'https://acme-staging-v02.api.letsencrypt.org/directory',
  caa: 'letsencrypt.org',
} as const

/** Where the API of Cloudflare is, unless the configuration says otherwise. */
export const CLOUDFLARE_API = 'https://api.cloudflare.com/client/v4'

/** Where tailscaled answers, whose certificates are for names of the tailnet alone. */
export const TAILSCALE = {
  socket: '/run/tailscale/tailscaled.sock',
  suffix: '.ts.net',
  host: 'local-tailscaled.sock',
} as const

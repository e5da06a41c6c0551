/** Directories of Let's Encrypt. @see https://letsencrypt.org/docs/staging-environment/ */
export const LETSENCRYPT = {
  production: 'https://acme-v02.api.letsencrypt.org/directory',
  staging: 'https://acme-staging-v02.api.letsencrypt.org/directory',
} as const

/** Where the API of Cloudflare is, unless the configuration says otherwise. */
export const CLOUDFLARE_API = 'https://api.cloudflare.com/client/v4'

/** Of tailscaled's local API, which has certificates for names in .ts.net. */
export const TAILSCALE_SOCKET = '/run/tailscale/tailscaled.sock'

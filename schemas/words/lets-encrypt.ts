/** Where ACME is spoken when no directory is set, and what the CA calls itself in CAA records. @see letsencrypt.org/docs */
export const LETS_ENCRYPT = {
  directory: 'https://acme-v02.api.letsencrypt.org/directory',
  staging: 'https://acme-staging-v02.api.letsencrypt.org/directory',
  caa: 'letsencrypt.org',
} as const

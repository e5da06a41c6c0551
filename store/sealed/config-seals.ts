import type { Keyring } from './keyring.ts'

/** Secrets of config.toml: base64, each in the place of its key. */
export function configSeals(keyring: Keyring) {
  const bytes = (sealed: string) => Buffer.from(sealed, 'base64')
  return {
    seal: (key: string, text: string) => keyring.seal(['config', key], text).toString('base64'),
    unseal: (key: string, sealed: string) => keyring.unseal(['config', key], bytes(sealed)),
    isCurrent: (sealed: string) => keyring.isCurrent(bytes(sealed)),
  }
}

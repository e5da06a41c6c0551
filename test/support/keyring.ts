import { createKeyring, type Keyring } from '../../store/sealed/keyring.ts'

/** The keyring of a state directory, as a daemon that starts now finds it. */
export function keyringOf(
  stateDirectory: string,
  {
    credentialsDirectory,
    configured,
    previous,
  }: { readonly credentialsDirectory?: string; readonly configured?: string; readonly previous?: string } = {},
  monotonic: () => number = () => performance.now(),
): Keyring {
  const texts = () => ({ configured, previous })
  return createKeyring({ stateDirectory, credentialsDirectory, texts }, Date.now, monotonic)
}

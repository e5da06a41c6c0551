import { createKeyring, type Keyring } from '../../store/sealed/keyring.ts'
import type { MasterKeySources } from '../../store/sealed/master-key.ts'

/** The keyring of a state directory, as a daemon that starts now finds it. */
export function keyringOf(stateDirectory: string, sources: Partial<MasterKeySources> = {}): Keyring {
  const none = { credentialsDirectory: undefined, configured: undefined, previous: undefined }
  return createKeyring({ stateDirectory, ...none, ...sources }, Date.now, () => performance.now())
}

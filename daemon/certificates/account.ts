import type { AcmeClient } from '../../pki/acme/client.ts'
import { AcmeProblem } from '../../pki/acme/problem.ts'
import type { TlsStatus } from '../../schemas/admin-tls.ts'
import type { Log } from '../../schemas/words/log.ts'
import type { CertificateStore, KeptAccount } from './kept.ts'
import type { AcmeSettings } from './settings.ts'

/**
 * The account at the CA: its key is made once, and kept before the CA hears of it, so that an answer that is lost does
 * not make a second account; it is registered where it is not known yet. A full disk leaves it in
 * memory until it can be written.
 */
export function createAccount({ directory, email = '' }: AcmeSettings, store: CertificateStore, log: Log) {
  const { damage, ...kept } = store.loadAccount()
  let known: Partial<KeptAccount> = kept
  let isUnsaved = false
  if (damage !== undefined)
    log('error', 'the key of the account at the CA cannot be used: another one is registered', { error: damage })

  function save(): void {
    const { key, ...rest } = known
    if (key === undefined) return
    try {
      store.saveAccount({ key, ...rest })
      isUnsaved = false
    } catch (error) {
      if (!isUnsaved)
        log('error', 'the account at the CA is in memory alone: it cannot be written', { error: String(error) })
      isUnsaved = true
    }
  }

  async function makeKey(newKey: () => Promise<string>): Promise<string> {
    const key = await newKey()
    known = { key }
    save()
    return key
  }

  async function register(open: Open, key: string): Promise<AcmeClient> {
    const client = open(key, undefined)
    const url = await client.register(email === '' ? undefined : email)
    known = { key, directory, url, email }
    save()
    log('info', 'account at the CA', { url })
    return client
  }

  return {
    /**
     * Works with the account; one that the CA no longer knows, or knows with another address, is registered once more.
     * @throws whatever `work` throws, and AcmeProblem when the CA does not register the account
     */
    async use<T>(open: Open, newKey: () => Promise<string>, work: (client: AcmeClient) => Promise<T>): Promise<T> {
      const key = known.key ?? (await makeKey(newKey))
      const isSame = known.directory === directory && known.email === email
      const url = isSame ? known.url : undefined
      if (url === undefined) return await work(await register(open, key))
      try {
        return await work(open(key, url))
      } catch (error) {
        if (!(error instanceof AcmeProblem && error.type === 'accountDoesNotExist')) throw error
        return await work(await register(open, key))
      }
    },
    /** Tries again to write what could not be written. */
    save: (): void => {
      if (isUnsaved) save()
    },
    status(): TlsStatus['account'] {
      const { url } = known
      if (url === undefined || known.directory !== directory) return undefined
      return { directory, url, ...(email !== '' && { email }) }
    },
  }
}

type Open = (key: string, url: string | undefined) => AcmeClient

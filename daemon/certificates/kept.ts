import { readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { keyFlaw, readCertificate } from '../../pki/certificate.ts'
import { codeOf } from '../../system/error-code.ts'
import { type NewFile, replaceFiles } from '../../system/replace-files.ts'

/** A certificate chain, leaf first, and its key, PEM. */
export type Pair = { readonly cert: string; readonly key: string }

/** What is known of a certificate beside the certificate itself. */
export type Meta = {
  /** Which CA and kind of key it was ordered with; another one is a reason for a new order. */
  readonly origin: string
  /** Attempts that failed, in a row. */
  readonly failures: number
  /** Not to be tried before, Unix milliseconds. */
  readonly retryAtMs: number
  /** Until when the CA asked to be left alone, Unix milliseconds; 0: it did not. */
  readonly leftAloneUntilMs: number
  readonly lastError?: { readonly atMs: number; readonly message: string }
}

export type Kept = {
  readonly pair: Pair | undefined
  readonly meta: Meta | undefined
  /** What is wrong with which file, where there is a pair that cannot be used. */
  readonly damage?: string
}

/** The account at a CA. */
export type KeptAccount = {
  readonly key: string
  readonly directory: string
  readonly url: string
  /** As it was told to the CA; empty: none was. */
  readonly email: string
}

export type CertificateStore = ReturnType<typeof openCertificateStore>

/** Staged files have this suffix: what a kill in the middle left can be finished. */
const STAGED = 'new'
const FILE_MODE = 0o600
const DIRECTORY_MODE = 0o700

/**
 * Certificates and the account, in `tls/` of the state directory: `certificates/NAME/{key,cert}.pem` and `meta.json`,
 * `acme/account.{json,key}`. What cannot be read counts as not there.
 */
export function openCertificateStore(stateDirectory: string) {
  const account = (file: string) => join(stateDirectory, 'tls/acme', file)
  const certificate = (name: string, file: string) => join(stateDirectory, 'tls/certificates', folderOf(name), file)

  return {
    load(name: string): Kept {
      const at = (file: string) => certificate(name, file)
      const pair = readPair(at('cert.pem'), at('key.pem')) ?? finishPair(at('cert.pem'), at('key.pem'))
      const damage = pair === undefined ? damageOf(at('cert.pem'), at('key.pem')) : undefined
      return { pair, meta: readMeta(at('meta.json')), ...(damage !== undefined && { damage }) }
    },
    /** @param pair undefined: it has not changed @throws the system's error; nothing has changed then */
    save(name: string, pair: Pair | undefined, meta: Meta): void {
      const file = (path: string, text: string): NewFile => ({ file: certificate(name, path), text, mode: FILE_MODE })
      const pairFiles = pair === undefined ? [] : [file('key.pem', pair.key), file('cert.pem', pair.cert)]
      replace([...pairFiles, file('meta.json', `${JSON.stringify(meta)}\n`)])
    },
    /** Where the chain of a certificate is. */
    path: (name: string): string => certificate(name, 'cert.pem'),
    /** @returns without its key nothing, but what is wrong with the file, where there is one */
    loadAccount(): Partial<KeptAccount> & { readonly damage?: string } {
      const key = textOf(account('account.key'))
      if (key === undefined) return {}
      if (keyFlaw(key) !== undefined) return { damage: `${account('account.key')} is not a private key in PEM` }
      const { directory, url, email } = jsonOf(account('account.json'))
      return {
        key,
        ...(typeof directory === 'string' && typeof url === 'string' && { directory, url }),
        ...(typeof email === 'string' && { email }),
      }
    },
    /** @param account its key alone, while no CA has answered for it yet @throws the system's error */
    saveAccount({ key, ...known }: Pick<KeptAccount, 'key'> & Partial<KeptAccount>): void {
      const file = (path: string, text: string): NewFile => ({ file: account(path), text, mode: FILE_MODE })
      replace([file('account.key', key), file('account.json', `${JSON.stringify(known)}\n`)])
    },
  }
}

/** A wildcard has a folder that no host name has. */
const folderOf = (name: string): string => name.replace(/^\*\./, '_wildcard.')

function replace(files: readonly NewFile[]): void {
  replaceFiles(files, { links: 'replace', parentMode: DIRECTORY_MODE, stagedSuffix: STAGED })
}

function readPair(certFile: string, keyFile: string): Pair | undefined {
  const [cert, key] = [textOf(certFile), textOf(keyFile)]
  if (cert === undefined || key === undefined) return undefined
  return readCertificate(cert, [], key)?.matchesKey === true ? { cert, key } : undefined
}

/** @returns undefined where no pair was kept yet */
function damageOf(certFile: string, keyFile: string): string | undefined {
  const [cert, key] = [textOf(certFile), textOf(keyFile)]
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined) return `${cert === undefined ? certFile : keyFile} cannot be read`
  if (readCertificate(cert, [], undefined) === undefined) return `${certFile} is not a certificate in PEM`
  return `${keyFile} is not the private key of ${certFile}`
}

/** A kill between two renames leaves the new key beside the old certificate, and the new one staged. */
function finishPair(certFile: string, keyFile: string): Pair | undefined {
  const staged = certFile.replace(/[^/]+$/, (name) => `.${name}.${STAGED}`)
  const pair = readPair(staged, keyFile)
  if (pair === undefined) return undefined
  try {
    renameSync(staged, certFile)
  } catch (error) {
    if (codeOf(error) === '') throw error // otherwise it is finished at the next start
  }
  return pair
}

function readMeta(file: string): Meta | undefined {
  const { origin, failures, retryAtMs, leftAloneUntilMs, lastError } = jsonOf(file)
  if (typeof origin !== 'string' || typeof failures !== 'number' || typeof retryAtMs !== 'number') return undefined
  const untilMs = typeof leftAloneUntilMs === 'number' ? leftAloneUntilMs : 0
  return { origin, failures, retryAtMs, leftAloneUntilMs: untilMs, ...(isError(lastError) && { lastError }) }
}

const isError = (value: unknown): value is { atMs: number; message: string } =>
  typeof value === 'object' &&
  value !== null &&
  'atMs' in value &&
  typeof value.atMs === 'number' &&
  Number.isFinite(new Date(value.atMs).getTime()) &&
  'message' in value &&
  typeof value.message === 'string'

function jsonOf(file: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(textOf(file) ?? '')
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (codeOf(error) === '') throw error
    return undefined
  }
}

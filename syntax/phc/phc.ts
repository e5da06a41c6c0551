/**
 * Hashes of passwords in the PHC string format: `$argon2id$v=19$m=19456,t=2,p=1$SALT$TAG`, base64 without padding.
 * @see https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md
 */

/** What computing a hash costs. */
export type Argon2Cost = {
  readonly memoryKib: number
  readonly passes: number
  readonly lanes: number
}

export type PasswordHash = Argon2Cost & { readonly salt: Buffer; readonly tag: Buffer }

const FORM = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/

/** @returns undefined when the text is not a hash by argon2id, version 1.3 */
export function readPasswordHash(text: string): PasswordHash | undefined {
  const [whole, memory, passes, lanes, salt = '', tag = ''] = FORM.exec(text) ?? []
  if (whole === undefined) return undefined
  const cost = { memoryKib: Number(memory), passes: Number(passes), lanes: Number(lanes) }
  return { ...cost, salt: Buffer.from(salt, 'base64'), tag: Buffer.from(tag, 'base64') }
}

export function passwordHashText({ memoryKib, passes, lanes, salt, tag }: PasswordHash): string {
  const bare = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${lanes}$${bare(salt)}$${bare(tag)}`
}

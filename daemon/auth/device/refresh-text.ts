import { createHmac, timingSafeEqual } from 'node:crypto'

/** Begins as keys of Gate do, which no log shows. */
const PREFIX = 'gate_rt_'
/** The sign-in, how often its token was replaced, HMAC-SHA-256 of what stands before it in base64url. */
const FORM = /^(gate_rt_([0-9a-f-]{36})_(\d{1,9}))_([\w-]{43})$/

/** What a refresh token says. */
export type RefreshClaims = {
  /** Of the sign-in. */
  readonly id: string
  /** How often its refresh token was replaced before. */
  readonly generation: number
}

export type RefreshTexts = ReturnType<typeof refreshTexts>

/** Makes and reads the text of refresh tokens. @param key at least 32 bytes */
export function refreshTexts(key: Buffer) {
  const macOf = (text: string): string => createHmac('sha256', key).update(text).digest('base64url')

  return {
    make({ id, generation }: RefreshClaims): string {
      const head = `${PREFIX}${id}_${generation}`
      return `${head}_${macOf(head)}`
    },
    /** @returns null for a text that was not made with this key */
    read(text: string): RefreshClaims | null {
      const [, head = '', id = '', generation = '', mac = ''] = FORM.exec(text) ?? []
      if (id === '') return null
      return timingSafeEqual(Buffer.from(mac), Buffer.from(macOf(head))) ? { id, generation: Number(generation) } : null
    },
  }
}

import { createHash } from 'node:crypto'

/** The pages that people sign in with: plain HTML, which works without a script. */

const STYLE =
  'body{font:1rem/1.5 system-ui;max-width:24rem;margin:3rem auto;padding:0 1rem}' +
  'label{display:block;margin:.75rem 0}input{font:inherit;width:100%;box-sizing:border-box;padding:.4rem}' +
  'button,.button{font:inherit;display:block;width:100%;box-sizing:border-box;margin:.75rem 0;padding:.5rem;' +
  'text-align:center;text-decoration:none;color:inherit;border:1px solid;border-radius:.4rem;background:none}' +
  '[role=alert]{border-left:4px solid #b00020;padding-left:.75rem}[hidden]{display:none}'
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

/** Where the one script is, which passkeys need. */
export const SCRIPT_PATH = '/auth/passkeys.js'

/** Nothing from elsewhere, no frame around, and forms for this gateway alone. */
export const PAGE_HEADERS = {
  'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'same-origin', // without it browsers send forms from the origin "null"
} as const

/** A whole page. @param body HTML; every text in it was escaped */
export function framed(title: string, body: string, head = ''): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Gate: ${escaped(title)}</title>
<style>${STYLE}</style>${head}</head>
<body><h1>${escaped(title)}</h1>
${body}
</body></html>
`
}

/** A text in HTML, also within an attribute in quotes. */
export const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)

export const alertOf = (message: string | null): string =>
  message === null ? '' : `<p role="alert">${escaped(message)}</p>`

/** Where a browser goes afterwards: a path of this host, or `/`. @param asked what a request says */
export function ownPath(asked: string | undefined): string {
  if (asked === undefined || asked.length > 2_000 || !/^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(asked)) return '/'
  return asked
}

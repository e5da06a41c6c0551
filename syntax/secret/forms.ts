/**
 * The ways in which texts spell a secret: as it is; as JSON writes it (plain, with escaped slashes, with escapes of
 * what is special to HTML as Go and .NET do, and inside a text that is JSON itself); percent-encoded in either case, as
 * strictly as JavaScript, Python or RFC 3986 do; in HTML; in hexadecimal; in base64 and base64url, whatever comes before
 * and after it in the encoded bytes.
 * @returns each once, longest first; empty for an empty secret
 */
export function secretForms(secret: string): readonly string[] {
  const json = inJson(secret)
  const strict = encodeURIComponent(secret).replace(/[!'()*~]/g, percentCode)
  const percent = [
    encodeURI(secret),
    encodeURIComponent(secret),
    strict,
    strict.replaceAll('%7E', '~'),
    strict.replaceAll('%2F', '/'),
    strict.replaceAll('%2F', '/').replaceAll('%7E', '~'),
  ]
  const hex = Buffer.from(secret).toString('hex')
  const forms = [
    secret,
    json,
    inJson(json),
    json.replaceAll('/', '\\/'),
    json.replace(/[<>&]/g, (c) => unicodeEscape(c)),
    json.replaceAll('\\"', '\\u0022').replace(SPECIAL_TO_HTML, (c) => unicodeEscape(c).toUpperCase().replace('U', 'u')),
    ...percent,
    ...percent.map((form) => form.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())),
    ...HTML.map((entities) => secret.replace(/[&<>"']/g, (c) => entities[c] ?? c)),
    hex,
    hex.toUpperCase(),
    ...[0, 1, 2].flatMap((before) => base64Of(secret, before)),
  ]
  return [...new Set(forms)].filter((form) => form !== '').toSorted((a, b) => b.length - a.length)
}

/** What encoders escape beyond what JSON asks for, lest a browser reads it as markup. */
const SPECIAL_TO_HTML = /[<>&'+`]/g

/** As Python, PHP, Go and JavaScript write what is special to HTML. */
const HTML: readonly Readonly<Record<string, string>>[] = [
  { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#x27;' },
  { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#039;' },
  { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' },
  { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' },
  { '&': '&amp;', '<': '&lt;', '>': '&gt;' },
]

function percentCode(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** Shorter pieces of base64 would be found in texts that hold no secret. */
const SHORTEST_BASE64 = 8

/** The digits that depend on the secret alone when it comes after `before` bytes, counted modulo 3. */
function base64Of(secret: string, before: number): string[] {
  const bytes = Buffer.from(secret)
  const all = Buffer.concat([Buffer.alloc(before), bytes])
  const digits = all.toString('base64').replace(/=+$/, '')
  const core = digits.slice(Math.ceil((before * 8) / 6), Math.floor((all.length * 8) / 6))
  if (core.length < SHORTEST_BASE64) return []
  return [core, core.replaceAll('+', '-').replaceAll('/', '_')]
}

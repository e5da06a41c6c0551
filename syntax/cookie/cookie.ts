/**
 * The pairs of a Cookie header, in its order: names may come twice. What has no `=` is left out.
 * @see https://www.rfc-editor.org/rfc/rfc6265 section 4.2
 */
export function cookiesIn(header: string): readonly (readonly [name: string, value: string])[] {
  return header.split(';').flatMap((pair) => {
    const equals = pair.indexOf('=')
    return equals === -1 ? [] : [[pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()] as const]
  })
}

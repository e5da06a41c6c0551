/**
 * IPv4 and IPv6 addresses and CIDR ranges as one regular expression, so that the JSON Schema refuses what zod refuses.
 * IPv6 text as in RFC 4291 section 2.2, without zone.
 */
const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const v4 = `${octet}(?:\\.${octet}){3}`
const group = '[0-9a-fA-F]{1,4}'

/** Exactly `count` groups, each with a colon after it. */
const before = (count: number) => `(?:${group}:){${count}}`
/** Up to `most` groups, each with a colon before it, behind a `::` whose first colon stands already. */
const behind = (most: number) => (most === 0 ? ':' : `(?::${group}){1,${most}}|:`)

const v6 = [
  `${before(7)}${group}`,
  `${before(6)}${v4}`,
  ...[1, 2, 3, 4, 5, 6, 7].map((groups) => `${before(groups)}(?:${behind(7 - groups)})`),
  `:(?:(?::${group}){1,7}|:)`,
  // "::" somewhere in the six groups before a dotted tail.
  ...[1, 2, 3, 4, 5].map((groups) => `${before(groups)}(?::${group}){0,${5 - groups}}:${v4}`),
  `:(?::${group}){0,5}:${v4}`,
].join('|')

/** One address, without prefix length. */
export const addressPattern = new RegExp(`^(?:${v4}|${v6})$`)

export const ipPattern = new RegExp(
  `^(?:${v4}(?:/(?:3[0-2]|[12]?\\d))?|(?:${v6})(?:/(?:12[0-8]|1[01]\\d|[1-9]?\\d))?)$`,
)

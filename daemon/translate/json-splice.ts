const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const COMMA = 0x2c

/** What an escaped letter begins with; no encoder writes plain letters so, and a client that does is looked at closely. */
const ESCAPED = ['\\u006', '\\u007']

/**
 * Keys of the outermost object whose values decide something, before an upstream reads them for itself.
 * @param names letters a-z and `_` only
 */
export function decisiveKeys(names: readonly string[]) {
  // without the first quote: JSON is full of quotes, at each of which a search would stop
  const endings = names.map((name) => `${name}"`)
  return {
    /** The first of them that appears twice in a JSON object. Reads it character by character only when that may be so. */
    repeatedIn(json: string): string | undefined {
      if (!endings.some((ending) => isTwiceIn(json, ending)) && !ESCAPED.some((start) => json.includes(start)))
        return undefined
      const keys: string[] = []
      scan(Buffer.from(json), (key) => keys.push(key))
      return names.find((name) => keys.indexOf(name) !== keys.lastIndexOf(name))
    },
  }
}

function isTwiceIn(json: string, ending: string): boolean {
  const first = json.indexOf(ending)
  return first !== -1 && json.includes(ending, first + 1)
}

/** The same JSON object with another text as the value of `key`, each time it appears outermost; every other byte stays. */
export function withText(json: Buffer, key: string, text: string): Buffer {
  const replacement = Buffer.from(JSON.stringify(text))
  const parts: Buffer[] = []
  let copied = 0
  let isWanted = false
  scan(
    json,
    (name) => {
      isWanted = name === key
    },
    (start, end) => {
      if (!isWanted) return
      parts.push(json.subarray(copied, start), replacement)
      copied = end
    },
  )
  parts.push(json.subarray(copied))
  return Buffer.concat(parts)
}

/**
 * Reads a JSON object byte by byte. @param onKey called with each key of the outermost object
 * @param onText called with where a text begins and ends that is the value of the last key
 */
function scan(
  json: Buffer,
  onKey: (key: string) => void,
  onText: (start: number, end: number) => void = () => {},
): void {
  let depth = 0
  let expectKey = false
  for (let i = 0; i < json.length; i += 1) {
    const byte = json[i]
    if (byte === QUOTE) {
      const end = stringEnd(json, i)
      if (depth === 1 && expectKey) onKey(String(JSON.parse(json.toString('utf8', i, end))))
      else if (depth === 1) onText(i, end)
      i = end - 1
    } else if (byte === 0x7b || byte === 0x5b) {
      depth += 1
      expectKey = depth === 1
    } else if (byte === 0x7d || byte === 0x5d) depth -= 1
    else if (depth === 1 && byte === COLON) expectKey = false
    else if (depth === 1 && byte === COMMA) expectKey = true
  }
}

/** Index after the closing quote of the string that opens at `start`. */
function stringEnd(json: Buffer, start: number): number {
  for (let i = start + 1; i < json.length; i += 1) {
    if (json[i] === BACKSLASH) i += 1
    else if (json[i] === QUOTE) return i + 1
  }
  return json.length
}

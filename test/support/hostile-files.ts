/** Runtime files that cost their reader most, or that readers take differently. @param bytes about how long */
export const HOSTILE_FILES: Readonly<Record<string, (bytes: number) => string | Buffer>> = {
  'unknown keys': (bytes) => lines(bytes, (n) => `k${n} = 1`),
  'unknown keys of one table': (bytes) => `[server]\n${lines(bytes, (n) => `k${n} = 1`)}`,
  'unknown tables': (bytes) => lines(bytes, (n) => `[t${n}]`),
  'tables of one table': (bytes) => lines(bytes, (n) => `[upstreams.a${n}]`),
  'blocks of lists': (bytes) => lines(bytes, () => '[[models.m.targets]]\nupstream = "echo"'),
  'upstreams without a provider': (bytes) => `[upstreams]\n${lines(bytes, (n) => `a${n} = {}`, 1_000)}`,
  'upstreams that are right': (bytes) => lines(bytes, (n) => `[upstreams.a${n}]\nprovider = "ollama"`, 1_000),
  'models that are right': (bytes) => lines(bytes, (n) => `[models.m${n}]\ntargets = ["echo/m${n}", "echo"]`, 1_000),
  'models of unknown upstreams': (bytes) => `[models]\n${lines(bytes, (n) => `m${n}.targets = ["nope${n}/m"]`, 1_000)}`,
  'many targets': (bytes) => `[models.m]\ntargets = [${lines(bytes, (n) => `"echo/m${n}",`)}]`,
  'bad elements': (bytes) => `[server]\nallow_from = [${lines(bytes, (n) => `"10.0.0.${n}/99",`)}]`,
  'elements that are right': (bytes) =>
    `[server]\nallow_from = [${lines(bytes, (n) => `"10.${(n >> 8) & 255}.${n & 255}.1",`)}]`,
  'variables that are not set': (bytes) => `[relay]\naddresses = [${lines(bytes, (n) => `"$\{NOPE_${n}}",`)}]`,
  'a long variable': (bytes) => `[auth]\ntoken = "$\{${'A'.repeat(bytes)}}"`,
  'openings of variables': (bytes) => `[auth]\ntoken = "${'${'.repeat(bytes / 2)}"`,
  'bad names': (bytes) => `[models]\n${lines(bytes, (n) => `"\\t${n}" = {}`, 1_000)}`,
  'a long key': (bytes) => `${'k'.repeat(bytes)} = 1`,
  'a long quoted key': (bytes) => `[models."${'é'.repeat(bytes / 2)}"]`,
  'a dotted key of many parts': (bytes) => `${'a.'.repeat(bytes / 2)}b = 1`,
  'dotted keys of 15 parts': (bytes) => lines(bytes, (n) => `${'a.'.repeat(15)}b${n} = 1`),
  'dotted keys of one key': (bytes) => lines(bytes, (n) => `models.m.k${n} = 1`),
  'a header of many parts': (bytes) => `[${'a.'.repeat(bytes / 2)}b]`,
  'lists in lists': (bytes) => `a = ${'['.repeat(bytes / 2)}${']'.repeat(bytes / 2)}`,
  'lists that do not end': (bytes) => `a = ${'['.repeat(bytes)}`,
  'tables in tables': (bytes) => `a = ${'{a='.repeat(bytes / 4)}1${'}'.repeat(bytes / 4)}`,
  'empty tables': (bytes) => `a = [${'{},'.repeat(bytes / 3)}]`,
  'an inline table': (bytes) => `a = { ${keys(bytes)} }`,
  'one long text': (bytes) => `[log]\nlevel = "${'x'.repeat(bytes)}"`,
  'one long text of escapes': (bytes) => `[log]\nlevel = "${'\\n'.repeat(bytes / 2)}"`,
  'a text that does not end': (bytes) => `[log]\nlevel = "${'x'.repeat(bytes)}`,
  'a text of lines': (bytes) => `[log]\nlevel = """${'\\\n  '.repeat(bytes / 4)}"""`,
  quotes: (bytes) => `a = ${'"'.repeat(bytes)}`,
  'a long number': (bytes) => `a = ${'1'.repeat(bytes)}`,
  'a long number in parts': (bytes) => `a = ${'1_'.repeat(bytes / 2)}1`,
  dates: (bytes) => `a = [${'2026-01-01T00:00:00Z,'.repeat(bytes / 21)}]`,
  comments: (bytes) => '#\n'.repeat(bytes / 2),
  'a long comment': (bytes) => `#${'x'.repeat(bytes)}`,
  'comments in a list': (bytes) => `a = [${'#\n'.repeat(bytes / 2)}]`,
  'empty lines': (bytes) => '\n'.repeat(bytes),
  'carriage returns': (bytes) => '\r\n'.repeat(bytes / 2),
  spaces: (bytes) => `a${' '.repeat(bytes)}`,
  'spaces before a value': (bytes) => `a =${' '.repeat(bytes)}1`,
  zeros: (bytes) => Buffer.alloc(bytes),
  'zeros at the end': (bytes) => `[log]\nlevel = "warn"\n${'\0'.repeat(bytes)}`,
  'bytes that are not UTF-8': (bytes) => Buffer.alloc(bytes, 0xff),
  'half a character at the end': (bytes) => Buffer.concat([Buffer.from(`#${'x'.repeat(bytes)}`), Buffer.from([0xc3])]),
  'byte order marks': (bytes) => '\uFEFF'.repeat(bytes / 3),
  'a byte order mark': (bytes) => `\uFEFF${lines(bytes, (n) => `# ${n}`)}`,
  'names of prototypes': (bytes) => lines(bytes, (n) => `[models.m${n}.__proto__.constructor]`),
  'names of prototypes as keys': (bytes) => `[upstreams]\n${lines(bytes, (n) => `toString${n}.hasOwnProperty = 1`)}`,
  'the same key twice at the end': (bytes) => `${lines(bytes, (n) => `# ${n}`)}\na = 1\na = 2`,
  'a mistake at the end': (bytes) => `${lines(bytes, (n) => `k${n} = 1`)}\n= 1`,
  JSON: (bytes) => `{${keys(bytes).replaceAll(' = ', ':')}}`,
  'letters that become longer in upper case': (bytes) => `[models."${'ß'.repeat(90)}"]\n#${'ŉ'.repeat(bytes / 2)}`,
}

/** Lines of about that length altogether, and of that number at most. */
function lines(bytes: number, line: (n: number) => string, most = Number.MAX_SAFE_INTEGER): string {
  const all: string[] = []
  for (let n = 0, length = 0; length < bytes && n < most; n += 1) {
    const next = line(n)
    all.push(next)
    length += next.length + 1
  }
  return all.join('\n')
}

function keys(bytes: number): string {
  return lines(bytes, (n) => `k${n} = ${n % 10},`)
    .replaceAll('\n', ' ')
    .slice(0, -1)
}

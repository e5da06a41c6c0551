import type { NginxDirective } from './nginx-reader.ts'

/**
 * What gixy says of a configuration, by its own names for the rules: NixOS runs it over what it gives nginx, and a
 * finding stops the build. Written from the documentation of the rules below, without gixy at hand: a build with the
 * real one may find more.
 * @see https://github.com/yandex/gixy/tree/master/docs/en/plugins
 * @returns `[rule] directive`, in the order of the text
 */
export function gixyFindings(directives: readonly NginxDirective[]): string[] {
  return walk(directives, { outer: [], headers: [] })
}

type Place = {
  /** The blocks around, from the outermost. */
  readonly outer: readonly NginxDirective[]
  /** Headers that these blocks add, in lower case. */
  readonly headers: readonly string[]
}

function walk(directives: readonly NginxDirective[], { outer, headers }: Place): string[] {
  const own = directives.filter(({ words: [name] }) => name === 'add_header').map(({ words }) => lower(words[1]))
  const lost = own.length === 0 ? [] : headers.filter((header) => !own.includes(header))
  return [
    ...lost.map((header) => `[add_header_redefinition] ${header}`),
    ...directives.flatMap((directive) => [
      ...Object.entries(RULES)
        .filter(([, breaks]) => breaks(directive.words, outer))
        .map(([rule]) => `[${rule}] ${directive.words.join(' ')}`),
      ...walk(directive.block ?? [], {
        outer: [...outer, directive],
        headers: own.length === 0 ? headers : own,
      }),
    ]),
  ]
}

type Rule = (words: readonly string[], outer: readonly NginxDirective[]) => boolean

const RULES: Readonly<Record<string, Rule>> = {
  // only $host is checked against server_name
  host_spoofing: ([name, header, value = '']) =>
    name === 'proxy_set_header' && lower(header) === 'host' && /\$(?:\{)?(?:http_host|arg_)/i.test(value),
  // these are unescaped, so that an encoded line break becomes one
  http_splitting: ([name = '', ...values]) =>
    SENT.includes(name) && values.some((value) => /\$\{?(?:uri|document_uri|[1-9])\b/.test(value)),
  ssrf: ([name, target = ''], outer) =>
    name === 'proxy_pass' &&
    !outer.some(({ block }) => block?.some(({ words }) => words[0] === 'internal')) &&
    /^(?:\w*:\/\/)?[^/?#]*\$\{?(?:http_|arg_|cookie_|uri\b|request_uri\b|document_uri\b|[1-9])/.test(target),
  add_header_multiline: ([name = '', , value = '']) =>
    ['add_header', 'more_set_headers'].includes(name) && /[\r\n]/.test(value),
  alias_traversal: ([name, folder = ''], outer) => {
    const [kind, ...path] = outer.at(-1)?.words ?? []
    const [place = ''] = path[0] === '^~' ? path.slice(1) : path
    const isPrefix = kind === 'location' && place.startsWith('/')
    return name === 'alias' && isPrefix && !place.endsWith('/') && folder.endsWith('/')
  },
  origins: ([name, ...condition]) => {
    const text = condition.join(' ')
    if (!['if', 'map'].includes(name ?? '') || !/\$http_(?:origin|referer)/.test(text)) return false
    return /~/.test(text) && !/~\*?\s*["']?\^.*(?:\$|\/)["']?\)?$/.test(text)
  },
  valid_referers: ([name, ...values]) => name === 'valid_referers' && values.includes('none'),
}

/** Directives whose values end up in a header or a request line. */
const SENT = ['return', 'rewrite', 'add_header', 'proxy_set_header', 'proxy_pass', 'proxy_method', 'proxy_cookie_path']

const lower = (text = ''): string => text.toLowerCase()

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import ts from 'typescript'
import { expect, test } from 'vitest'

/** Turns that a native speaker would not write in a message or on a page, with what to write instead. */
const PATTERNS: readonly { readonly not: RegExp; readonly but: string }[] = [
  { not: /\bstands? (twice|there|in)\b/, but: 'appears twice, is in' },
  { not: /\bcannot stand\b/, but: 'is not allowed, is not valid' },
  {
    not: /(?<!\bthere )\bis no (key|name|JSON|TOML|UTF-8|text|number|version|path|file|socket|secret|backend)\b/i,
    but: 'is not a',
  },
  { not: /\b(some|every|any)body\b/, but: 'the user, client or program that is meant' },
  {
    not: /\bnobody (is|else|but|can|may|needs|uses|knows|waits|listens|answers)\b/,
    but: 'no user, no client, no program',
  },
  { not: /\bwhoever\b/, but: 'the user, client or program that is meant' },
  { not: /\bof ours\b/, but: 'our own' },
  { not: /\bfor ever\b/, but: 'indefinitely' },
  { not: /\bleads? (nowhere|to)\b/, but: 'points to, resolves to' },
  { not: /\ba value of type\b/, but: 'expected a table, such as …' },
]

/** Names for things outside Gate that happen to read like one of these. */
const ALLOWED = [/rm -f|su nobody|nobody:nogroup/]

const SOURCES = [
  'agent',
  'bin',
  'compiler',
  'config',
  'ctl',
  'daemon',
  'host',
  'pki',
  'schemas',
  'store',
  'syntax',
  'system',
  'wire',
]
const PAGES = ['*.md', 'docs/*.md', ':!docs/decisions.md', ':!CHANGELOG.md']

const listed = (...paths: string[]) =>
  execFileSync('git', ['ls-files', '-z', '--', ...paths], { encoding: 'utf8' })
    .split('\0')
    .filter((path) => path !== '')

/** Every text of a source that reads like a sentence, with its line. */
function textsOf(path: string, text: string): string[] {
  const found: string[] = []
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest)
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) {
      const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1
      if (/[a-z] [a-z]/.test(node.getText(source))) found.push(`${path}:${line}: ${node.getText(source)}`)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

const faultsOf = (text: string) =>
  ALLOWED.some((allowed) => allowed.test(text))
    ? []
    : PATTERNS.flatMap(({ not, but }) => (not.test(text) ? [`${text.slice(0, 200)} (write: ${but})`] : []))

test.each([
  '"model" stands twice in the body',
  'upstreams.x.foo is no key',
  '0 cannot stand here',
  'a value of type object is expected',
  'everybody can read it',
])('sees %j', (text) => {
  expect(faultsOf(text)).toHaveLength(1)
})

test.each(['there is no key', 'standard input', 'this leads the list', 'nobody:nogroup'])('leaves %j alone', (text) => {
  expect(faultsOf(text)).toEqual([])
})

test('messages are written as a native speaker would', () => {
  const paths = listed(...SOURCES).filter((path) => path.endsWith('.ts'))
  expect(paths.length).toBeGreaterThan(200)
  expect(paths.flatMap((path) => textsOf(path, readFileSync(path, 'utf8')).flatMap(faultsOf))).toEqual([])
})

test('so are the pages', () => {
  const lines = listed(...PAGES).flatMap((path) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .map((line, index) => `${path}:${index + 1}: ${line}`),
  )
  expect(lines.length).toBeGreaterThan(1000)
  expect(lines.flatMap(faultsOf)).toEqual([])
})

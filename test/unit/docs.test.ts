import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const FOLDERS =
  'agent bench bin compiler config ctl daemon docs host nix packaging schemas scripts store syntax system systemd test wire'
/** A path of this repository between backticks, up to the first part that stands for a name. */
const PATH = new RegExp(`\`((?:${FOLDERS.replaceAll(' ', '|')})/[^\`\\s*{]*)`, 'g')

const pages = ['README.md', 'CONTRIBUTING.md', 'docs/architecture.md', 'docs/dialects.md'].filter((page) =>
  existsSync(join(root, page)),
)
const named = pages.flatMap((page) =>
  [...readFileSync(join(root, page), 'utf8').matchAll(PATH)].map(([, path = '']) => ({
    page,
    path: (path.split(/[<…]/)[0] ?? '').replace(/\/$/, ''),
  })),
)

test('pages name files of this repository', () => expect(named.length).toBeGreaterThan(60))

test.each(named)('$page: $path is there', ({ path }) => expect(existsSync(join(root, path))).toBe(true))

test.each(pages)('%s: every file that it links to is there', (page) => {
  const text = readFileSync(join(root, page), 'utf8')
  const targets = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, target = '']) => target)
  expect(targets.filter((target) => !existsSync(join(root, page, '..', target)))).toEqual([])
})

test.each([
  { what: "Tailscale's nameserver, limited to the domain", says: /Nameservers.*Restrict to domain/s },
  { what: "Tailscale's search domain", says: /Add search domain/ },
  { what: "the installer's one line", says: /^curl http:\S+:8081\/install-client\.sh \| sudo sh -s \S+$/m },
  {
    what: "Open WebUI's key as a credential",
    says: /\/etc\/credstore\/webui-gateway-key\n.*credential = "webui-gateway-key"/s,
  },
])('E6 a page for people shows $what', ({ says }) => {
  expect(readFileSync(join(import.meta.dirname, '../../docs/clients.md'), 'utf8')).toMatch(says)
})

/** Sections of pages that comments of the sources cite, by the page and the quoted section. */
const cited = spawnSync('git', ['grep', '-hoE', 'docs/[a-z-]+\\.md "[^"]+"', '--', '*.ts'], {
  cwd: root,
  encoding: 'utf8',
})
  .stdout.split('\n')
  .flatMap((line) => {
    const [, page, section] = /^(\S+) "(.+)"$/.exec(line) ?? []
    return page === undefined || section === undefined ? [] : [{ page, section }]
  })

test('F3 a section that the sources cite is there', () => {
  const missing = ({ page, section }: { readonly page: string; readonly section: string }) =>
    !existsSync(join(root, page)) ||
    !readFileSync(join(root, page), 'utf8')
      .matchAll(/^#+ (.*)$/gm)
      .some(([, heading]) => heading === section)
  expect(missing({ page: 'docs/layout.md', section: 'Settings' })).toBe(false)
  expect(missing({ page: 'docs/layout.md', section: 'Sett' })).toBe(true)
  expect(cited.filter(missing)).toEqual([])
})

test('F3 the tour of the architecture tells of each program, of the compiler and of draining', () => {
  const headings =
    readFileSync(join(root, 'docs/architecture.md'), 'utf8')
      .match(/^#+ .*$/gm)
      ?.join('\n') ?? ''
  for (const part of [/four programs/, /a unit on the disk/, /One request/, /Lifecycle/, /Invariants/, /Glossary/])
    expect(headings).toMatch(part)
})

test('the front page says how to serve HTTPS', () => {
  expect(readFileSync(join(root, 'README.md'), 'utf8')).toMatch(
    /^## HTTPS\n[^#]*GATE_LETSENCRYPT__ENABLED[^#]*\(docs\/tls\.md\)/m,
  )
})

test('F1 the front page says how long the tests take', () => {
  expect(readFileSync(join(root, 'README.md'), 'utf8')).toMatch(/npm test .*\d+ minutes on two cores/)
})

const { dependencies: libraries } = JSON.parse(readFileSync(join(root, 'test/clients/package.json'), 'utf8'))
test.each(Object.entries(libraries))('the page of clients names %s %s', (name, version) => {
  expect(readFileSync(join(root, 'docs/clients.md'), 'utf8')).toContain(`\`${name}\` ${version}`)
})

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

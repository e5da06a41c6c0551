import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { configSchema } from '../../schemas/config/config.ts'
import type { Target } from '../../schemas/words/targets.ts'
import { adaptCaddy } from './caddy.ts'
import { testNginx } from './nginx.ts'
import { readNginx } from './nginx-reader.ts'
import { run, tryRun } from './programs.ts'
import { replaced } from './spec-strings.ts'
import type { temporaryDirectory } from './temporary-directory.ts'
import { readUnit } from './unit-reader.ts'

type TemporaryDirectory = ReturnType<typeof temporaryDirectory>

/** The program that a file is for, or a parser by others, and what it makes of the file. */
export type Reader = {
  readonly target: Target
  readonly file: RegExp
  readonly needs: readonly string[]
  /** Everything each text says, as a tree. */
  readonly read: (texts: readonly string[]) => unknown[]
  /** The reader sorts by rules of its own. */
  readonly isUnordered?: boolean
}

/**
 * A reader for every file of the targets that this machine can read.
 * @param certificates where `cert.pem` and `key.pem` lie
 */
export function targetReaders(directory: TemporaryDirectory, certificates: string): readonly Reader[] {
  const each = (read: (text: string) => unknown) => (texts: readonly string[]) => texts.map(read)
  const units = { file: /\.service$/, needs: [], read: each(readUnit) }
  return [
    {
      target: 'caddy',
      file: /Caddyfile$/,
      needs: ['caddy'],
      read: each((text) => adaptCaddy(text, directory.path)),
      isUnordered: true,
    },
    { target: 'client', file: /\.sh$/, needs: ['dash', 'busybox', 'bash'], read: each(readInstaller) },
    {
      target: 'compose',
      file: /\.yaml$/,
      needs: ['docker-compose'],
      read: each((text) => readCompose(text, directory.file('compose'))),
    },
    {
      target: 'declared',
      file: /\.json$/,
      needs: [],
      read: each((text) => [JSON.parse(text), readDeclared(text)]),
    },
    {
      target: 'dnsmasq',
      file: /\.conf$/,
      needs: ['dnsmasq'],
      read: each((text) => readDnsmasq(text, directory.file('dnsmasq.conf'))),
    },
    ...(['compose', 'fly', 'launchd'] as const).map((target) => ({
      target,
      file: /declared\.json$/,
      needs: [],
      read: each((text) => [JSON.parse(text), readDeclared(text)]),
    })),
    { target: 'dnsmasq', ...units },
    { target: 'fly', file: /\.toml$/, needs: ['python3'], read: (texts) => python('tomllib.loads(text)', texts) },
    {
      target: 'launchd',
      file: /\.plist$/,
      needs: ['python3'],
      read: (texts) => python('plistlib.loads(text.encode())', texts),
    },
    {
      target: 'nftables',
      file: /\.nft$/,
      needs: ['nft'],
      read: each((text) => readRules(text, directory.file('firewall.nft'))),
    },
    { target: 'nftables', ...units },
    {
      target: 'nginx',
      file: /\.conf$/,
      needs: ['nginx', 'openssl'],
      read: each((text) => readByNginx(text, directory.path, certificates)),
    },
    { target: 'render', file: /\.yaml$/, needs: [], read: each((text) => parseYaml(text)) },
  ]
}

function python(expression: string, texts: readonly string[]): unknown[] {
  const script = `import json,plistlib,sys,tomllib
json.dump([${expression} for text in json.load(sys.stdin)], sys.stdout)`
  const read: unknown = JSON.parse(run('python3', ['-c', script], JSON.stringify(texts)))
  return Array.isArray(read) ? read : expect.unreachable('a list')
}

/** What each shell takes the assignments at the top for; they have to agree. */
function readInstaller(text: string): unknown {
  const [head = ''] = text.split('\nset -eu\n')
  const names = [...head.matchAll(/^([A-Z_]+)=/gm)].map((match) => match[1] ?? '')
  const script = `${head}\nprintf '%s\\0' ${names.map((name) => `"$${name}"`).join(' ')}\nset\n`.replace(
    /\nset\n$/,
    '\n',
  )
  const [first, ...others] = [['dash'], ['busybox', 'sh'], ['bash', '--posix']].map(([shell = '', ...args]) =>
    run(shell, [...args, '-s'], script).split('\0'),
  )
  for (const other of others) expect(other).toEqual(first)
  return names.map((name, i) => [name, first?.[i]])
}

/** Variables of the caller are called like what they stand for; `config` doubles every dollar again. */
function readCompose(text: string, place: string): unknown {
  for (const [, path = ''] of text.matchAll(/"\.\/(secrets\/[^"/]+\.env)"/g)) {
    mkdirSync(dirname(join(place, path)), { recursive: true })
    writeFileSync(join(place, path), 'X=1\n')
  }
  mkdirSync(place, { recursive: true })
  writeFileSync(join(place, 'compose.yaml'), text.replace(/^name: .*\n/m, ''))
  const variables = [...text.matchAll(/\$\{([A-Za-z_][A-Za-z0-9_]*):\?/g)].map(([, name = '']) => [name, name])
  const env = Object.fromEntries(variables)
  const { status, stdout, stderr } = tryRun('docker-compose', ['-f', join(place, 'compose.yaml'), 'config'], '', env)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  const undoubled = (tree: unknown): unknown => JSON.parse(JSON.stringify(tree).replaceAll('$$', '$'))
  return undoubled(parseYaml(stdout))
}

function readDnsmasq(text: string, file: string): unknown {
  writeFileSync(file, text)
  expect(tryRun('dnsmasq', ['--test', `--conf-file=${file}`])).toMatchObject({ status: 0 })
  return text.split('\n').map((line) => line.split(/[=,]/))
}

function readRules(text: string, file: string): unknown {
  // the account is looked up, and this machine has none
  writeFileSync(file, text.replace(/skuid "[^"]*"/g, 'skuid 0'))
  const script = `nft -f ${file} && nft -j list ruleset`
  const { status, stdout, stderr } = tryRun('unshare', ['-rn', 'sh', '-c', script])
  // a kernel without nf_tables can still be asked whether the text is one
  return status === 0 ? JSON.parse(stdout) : expect.unreachable(stderr)
}

/** nginx opens the files that the text names, so it has to find them under those names. */
function readByNginx(text: string, folder: string, certificates: string): unknown {
  const directives = readNginx(text)
  const named = (word: string): string[] =>
    directives.flatMap(({ block = [] }) => block).flatMap(({ words }) => (words[0] === word ? [words[1] ?? ''] : []))
  const paths = [...named('ssl_certificate'), ...named('ssl_certificate_key')]
  const isHere = paths.every((path) => path.startsWith(certificates))
  if (isHere) {
    for (const path of named('ssl_certificate')) copyTo(join(certificates, 'cert.pem'), path)
    for (const path of named('ssl_certificate_key')) copyTo(join(certificates, 'key.pem'), path)
    expect(testNginx(text, folder)).toMatchObject({ status: 0, stderr: '' })
  }
  return replaced(directives, (word) => word.replace(/^(http:\/\/)?gate_\w+/, (_, scheme = '') => `${scheme}upstream`))
}

function copyTo(from: string, to: string): void {
  if (from !== to) copyFileSync(from, to)
}

/** JSON inside texts is read as well. */
export function nested(tree: unknown): unknown {
  if (typeof tree === 'string') return nestedText(tree)
  if (Array.isArray(tree)) return tree.map(nested)
  if (typeof tree !== 'object' || tree === null) return tree
  return Object.fromEntries(Object.entries(tree).map(([key, inner]) => [key, nested(inner)]))
}

/** JSON, alone or as the value of a variable: NAME=JSON. */
function nestedText(text: string): unknown {
  const [, variable, json = ''] = /^([A-Z_]+=)?([[{].*)$/s.exec(text) ?? []
  const value = json === '' ? json : parsed(json)
  if (value === json) return text
  return variable === undefined ? nested(value) : [variable, nested(value)]
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' ? value : text
  } catch (error) {
    if (error instanceof SyntaxError) return text
    throw error
  }
}

/** As the daemon takes it, with the one secret that cannot be left out. */
function readDeclared(text: string): unknown {
  const declared = JSON.parse(text) as { readonly alerts?: Readonly<Record<string, object>> }
  const alerts = Object.entries(declared.alerts ?? {}).map(([name, alert]) => [
    name,
    { ...alert, url: 'https://ops.example/' },
  ])
  return configSchema.parse({ ...declared, alerts: Object.fromEntries(alerts) })
}

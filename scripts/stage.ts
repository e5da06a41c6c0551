// Lays out an installation under a directory, as the units in systemd/ and a package expect it:
// node scripts/stage.ts DIR. The single place that knows the layout.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { COMMANDS } from '../ctl/command-table.ts'
import { bashCompletion } from '../ctl/completion/bash.ts'
import { fishCompletion } from '../ctl/completion/fish.ts'
import { zshCompletion } from '../ctl/completion/zsh.ts'
import { manPages } from './man-pages.ts'

const root = join(import.meta.dirname, '..')
const PROGRAMS = ['gate-daemon', 'gate-relay', 'gatectl', 'gate-agent']

/**
 * Writes /usr/lib/gate (the compiled sources, production dependencies, the pinned Node), the commands in
 * /usr/bin, the units, sysusers.d and tmpfiles.d, manual pages and completions under `dir`.
 * @param date is on the manual pages
 * @param arch Node's name of the architecture; for another than this machine's, the caller replaces Node itself
 * @throws Error when the sources do not compile
 */
export function stage(dir: string, date = new Date(), arch: string = process.arch): void {
  const lib = join(dir, 'usr/lib/gate')
  compile(join(lib, 'dist'))
  cpSync(join(root, 'package.json'), join(lib, 'package.json'))
  for (const path of productionPackages()) copyPackage(path, lib, arch)
  cpSync(realpathSync(join(root, 'node_modules/node/bin/node')), join(lib, 'node'))
  for (const command of PROGRAMS) writeCommand(dir, command)
  const copies = {
    'systemd/gate-daemon.service': 'usr/lib/systemd/system/gate-daemon.service',
    'systemd/gate-daemon.socket': 'usr/lib/systemd/system/gate-daemon.socket',
    'systemd/gate-daemon-https.socket': 'usr/lib/systemd/system/gate-daemon-https.socket',
    'systemd/gate-daemon-http.socket': 'usr/lib/systemd/system/gate-daemon-http.socket',
    'systemd/gate-daemon-admin.socket': 'usr/lib/systemd/system/gate-daemon-admin.socket',
    'systemd/sysusers.d/gate.conf': 'usr/lib/sysusers.d/gate.conf',
    'systemd/tmpfiles.d/gate.conf': 'usr/lib/tmpfiles.d/gate.conf',
    LICENSE: 'usr/share/doc/gate/copyright',
  }
  for (const [from, to] of Object.entries(copies)) cpSync(join(root, from), join(dir, to))
  cpSync(join(root, 'schemas/json'), join(dir, 'usr/share/gate/schemas'), { recursive: true })
  for (const [to, text] of Object.entries(generated(date))) {
    mkdirSync(dirname(join(dir, to)), { recursive: true })
    writeFileSync(join(dir, to), text)
  }
}

/** Pages for those who work on Gate itself, who have the sources. */
const FOR_DEVELOPERS = ['architecture.md', 'decisions.md', 'test-long.md']

/** All pages are in one folder there. */
function documentText(file: string): string {
  return readFileSync(join(root, file), 'utf8').replace(/\]\((?:docs|\.\.)\//g, '](')
}

/** What users read, by its name below docs/. */
export function userDocs(): string[] {
  return readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md') && !FOR_DEVELOPERS.includes(name))
}

/** Manual pages, and completions where the shells look for those of packages. */
function generated(date: Date): Record<string, string | Buffer> {
  const pages = Object.entries(manPages(date.toISOString().slice(0, 10))).map(([file, text]): [string, Buffer] => {
    const section = file.slice(file.lastIndexOf('.') + 1)
    return [`usr/share/man/man${section}/${file}.gz`, gzipSync(text, { level: 9 })]
  })
  return {
    ...Object.fromEntries(pages),
    ...Object.fromEntries(userDocs().map((name) => [`usr/share/doc/gate/${name}`, documentText(`docs/${name}`)])),
    'usr/share/doc/gate/README.md': documentText('README.md'),
    'usr/share/bash-completion/completions/gatectl': bashCompletion(COMMANDS),
    'usr/share/zsh/vendor-completions/_gatectl': zshCompletion(COMMANDS),
    'usr/share/fish/vendor_completions.d/gatectl.fish': fishCompletion(COMMANDS),
  }
}

function compile(outDir: string): void {
  const args = ['-p', join(root, 'tsconfig.build.json'), '--noCheck', '--outDir', outDir]
  const run = spawnSync(join(root, 'node_modules/.bin/tsc'), args, { encoding: 'utf8' })
  if (run.status !== 0) throw new Error(`the sources do not compile:\n${run.stdout}${run.stderr}`)
}

/** Folders of the locked packages that are not development dependencies. */
export function productionPackages(): string[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>
  }
  return Object.entries(lock.packages).flatMap(([path, entry]) => (path === '' || entry.dev === true ? [] : [path]))
}

/** What packages carry along for other systems, for compiling them, for types and for reading: tens of megabytes. */
const NOT_RUN = [
  /\/node-pty\/(?:prebuilds|third_party|deps|src|scripts|typings|node_modules|binding\.gyp|build\/(?!Release(?:$|\/pty\.node$)).+)/,
  /\/better-sqlite3\/(?:deps|src|binding\.gyp)/,
  /\/(?:bintrees\/(?:test|examples|Makefile)|undici\/(?:docs|scripts|types)|zod\/src|tdigest\/(?:specs|example\.html))/,
  /\/node-addon-api(?:$|\/)/,
  /\.(?:d\.[cm]?ts|map)$|\/\.[^/]+$/,
]
const PREBUILT = /\/prebuilds\/([^/]+)\.node$/

/** Also not: what is prebuilt for other systems. */
function isRun(file: string, arch: string): boolean {
  const platform = PREBUILT.exec(file)?.[1]
  return (platform ?? `linux-${arch}`) === `linux-${arch}` && !NOT_RUN.some((part) => part.test(file))
}

function copyPackage(path: string, lib: string, arch: string): void {
  const from = join(root, path)
  if (!existsSync(from)) return // an optional one that could not be compiled here
  if (arch !== process.arch && existsSync(join(from, 'build/Release'))) return // compiled here, so for this machine only
  cpSync(from, join(lib, path), { recursive: true, filter: (file) => isRun(file, arch) })
}

// not a link: the command must run on the Node beside it, whatever the host has
function writeCommand(dir: string, command: string): void {
  const program = join(dir, 'usr/lib/gate/dist/bin', `${command}.js`)
  writeFileSync(program, readFileSync(program, 'utf8').replace(/^#!.*\n/, ''))
  const path = join(dir, 'usr/bin', command)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `#!/bin/sh\nexec /usr/lib/gate/node /usr/lib/gate/dist/bin/${command}.js "$@"\n`)
  chmodSync(path, 0o755)
}

if (import.meta.main) {
  const [dir] = process.argv.slice(2)
  if (dir === undefined) throw new Error('name the directory to write to: node scripts/stage.ts DIR')
  stage(dir)
}

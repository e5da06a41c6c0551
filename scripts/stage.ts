// Lays out an installation under a directory, as the units in systemd/ and a package expect it:
// node scripts/stage.ts DIR. The single place that knows the layout.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const root = join(import.meta.dirname, '..')
const COMMANDS = ['gate-daemon', 'gatectl', 'gate-agent']

/**
 * Writes /usr/lib/gate (the compiled sources, production dependencies, the pinned Node), the commands in
 * /usr/bin, the units, sysusers.d and tmpfiles.d under `dir`.
 * @throws Error when the sources do not compile
 */
export function stage(dir: string): void {
  const lib = join(dir, 'usr/lib/gate')
  compile(join(lib, 'dist'))
  cpSync(join(root, 'package.json'), join(lib, 'package.json'))
  for (const path of productionPackages()) copyPackage(path, lib)
  cpSync(realpathSync(join(root, 'node_modules/node/bin/node')), join(lib, 'node'))
  for (const command of COMMANDS) writeCommand(dir, command)
  const copies = {
    'systemd/gate-daemon.service': 'usr/lib/systemd/system/gate-daemon.service',
    'systemd/gate-daemon.socket': 'usr/lib/systemd/system/gate-daemon.socket',
    'systemd/gate-daemon-admin.socket': 'usr/lib/systemd/system/gate-daemon-admin.socket',
    'systemd/sysusers.d/gate.conf': 'usr/lib/sysusers.d/gate.conf',
    'systemd/tmpfiles.d/gate.conf': 'usr/lib/tmpfiles.d/gate.conf',
    'docs/install-systemd.md': 'usr/share/doc/gate/install-systemd.md',
    LICENSE: 'usr/share/doc/gate/copyright',
  }
  for (const [from, to] of Object.entries(copies)) cpSync(join(root, from), join(dir, to))
}

function compile(outDir: string): void {
  const args = ['-p', join(root, 'tsconfig.build.json'), '--outDir', outDir]
  const run = spawnSync(join(root, 'node_modules/.bin/tsc'), args, { encoding: 'utf8' })
  if (run.status !== 0) throw new Error(`the sources do not compile:\n${run.stdout}${run.stderr}`)
}

/** Folders of the locked packages that are no development dependencies. */
function productionPackages(): string[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>
  }
  return Object.entries(lock.packages).flatMap(([path, entry]) => (path === '' || entry.dev === true ? [] : [path]))
}

/** What a native package carries along for other systems and for compiling it: tens of megabytes. */
const NOT_RUN =
  /\/node-pty\/(?:prebuilds|third_party|deps|src|scripts|node_modules|binding\.gyp|build\/(?!Release(?:$|\/pty\.node$)).+)/

function copyPackage(path: string, lib: string): void {
  const from = join(root, path)
  if (!existsSync(from)) return // an optional one that could not be compiled here
  cpSync(from, join(lib, path), { recursive: true, filter: (file) => !NOT_RUN.test(file) })
}

// not a link: the command must run on the Node beside it, whatever the host has
function writeCommand(dir: string, command: string): void {
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

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join } from 'node:path'
import { type ImageConfig, writeOciArchive } from '../../../scripts/oci-archive.ts'
import { cacheDir } from '../rootfs.ts'

/** An OCI archive, ready for `podman load`. */
export type Image = {
  /** Path of the archive in a lab that has `layer`. */
  readonly archive: string
  /** `localhost/NAME@sha256:…`, as a spec names it. The same bytes go in, the same digest comes out. */
  readonly reference: string
}

export type Images = {
  /** A directory to lay over Debian's files, with the archives in it. */
  readonly layer: string
  /** The test engine on Node, about 130 MB. See engine.ts for what it can be told to do. */
  readonly engine: Image
  /** A container of 2 MB that does nothing until it is stopped, for hosts with very many. Health: `/bin/true`. */
  readonly idle: Image
  /** Stands in for Open WebUI, see webui.ts: two versions, to be upgraded from the first to the second. */
  readonly webui: { readonly first: Image; readonly second: Image }
}

const root = join(import.meta.dirname, '../../..')
const SOURCES = ['engine', 'answer']
const WEBUI_SOURCES = ['webui.ts', 'webui-start.sh']
const ENGINE = '/engine/engine.mjs'
/** How a spec asks the test engine whether it is well. A backend that runs is asked seldom: each check starts a Node. */
export const ENGINE_HEALTH = ['node', ENGINE, '--check', '{socket}']

/** A backend of a spec that runs the test engine. */
export const engineBackend = ({ engine }: Images) => ({
  engine: 'custom',
  image: engine.reference,
  image_archive: engine.archive,
  listen: 'unix',
  args: ['--listen', '{socket}'],
  health: { command: ENGINE_HEALTH, start_interval: '500ms', start_period: '20s' },
})

/** Where `tcpBackend` listens in its container. */
export const ENGINE_PORT = 18_080

/** The same on TCP, as most engines do it. */
export const tcpBackend = (images: Images) => ({
  ...engineBackend(images),
  listen: 'tcp',
  container_port: ENGINE_PORT,
  args: ['--listen', '{port}'],
  health: { command: ['node', ENGINE, '--check', '{port}'], start_interval: '500ms', start_period: '20s' },
})

/** Packs the images into the cache, from files of this repository and of the Debian tree alone. */
export function packImages(rootfs: string): Images {
  const node = realpathSync(join(root, 'node_modules/node/bin/node'))
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
  const files = [
    import.meta.filename,
    ...[...SOURCES.map((name) => `${name}.ts`), ...WEBUI_SOURCES].map((file) => join(import.meta.dirname, file)),
  ]
  const sources = files.map((file) => readFileSync(file, 'utf8'))
  const key = createHash('sha256')
    .update(JSON.stringify([rootfs, version, sources]))
    .digest('hex')
    .slice(0, 12)
  const layer = join(cacheDir, `images-${key}`)
  if (!existsSync(layer)) {
    const work = mkdtempSync(join(cacheDir, 'pack-'))
    try {
      chmodSync(work, 0o755)
      pack(work, ENGINE_NAME, ['node', ENGINE], (dir) => {
        layBusybox(dir, rootfs)
        layNode(dir, rootfs, node)
      })
      pack(work, IDLE_NAME, ['/bin/idle'], (dir) => layBusybox(dir, rootfs))
      for (const version of [1, 2]) packWebui(work, `${WEBUI_NAME}-${version}`, String(version), rootfs, node)
      // another run may have been faster
      if (!existsSync(layer)) renameSync(join(work, 'layer'), layer)
    } finally {
      rmSync(work, { recursive: true })
    }
  }
  const webui = { first: imageIn(layer, `${WEBUI_NAME}-1`), second: imageIn(layer, `${WEBUI_NAME}-2`) }
  return { layer, engine: imageIn(layer, ENGINE_NAME), idle: imageIn(layer, IDLE_NAME), webui }
}

const ENGINE_NAME = 'gate-test-engine'
const IDLE_NAME = 'gate-test-idle'
const WEBUI_NAME = 'gate-test-webui'
const ARCHIVES = '/srv/images'

function imageIn(layer: string, name: string): Image {
  const archive = `${ARCHIVES}/${name}.tar`
  const index = execFileSync('tar', ['-xOf', join(layer, archive), './index.json'], { encoding: 'utf8' })
  const { manifests } = JSON.parse(index) as { manifests: { digest: string }[] }
  return { archive, reference: `localhost/${name}@${manifests[0]?.digest}` }
}

/**
 * As ghcr.io/open-webui/open-webui is made: root owns and runs everything, the working directory is /app/backend,
 * start.sh starts it, curl is there for health checks.
 * @see https://github.com/open-webui/open-webui/blob/main/Dockerfile
 */
function packWebui(work: string, name: string, version: string, rootfs: string, node: string): void {
  const lay = (dir: string) => {
    layBusybox(dir, rootfs)
    layNode(dir, rootfs, node)
    for (const path of ['app/backend/open_webui/static', 'root/.cache/chroma', 'var/tmp'])
      mkdirSync(join(dir, path), { recursive: true })
    layFile(dir, '/app/backend/start.sh', join(import.meta.dirname, 'webui-start.sh'))
    layFile(dir, '/app/backend/webui.ts', join(import.meta.dirname, 'webui.ts'))
    writeFileSync(join(dir, 'app/backend/open_webui/static/custom.css'), `/* version ${version} */\n`)
    writeFileSync(join(dir, 'usr/bin/curl'), CURL, { mode: 0o755 })
    for (const applet of ['head', 'base64', 'cp', 'mkdir']) symlinkSync('busybox', join(dir, 'bin', applet))
  }
  pack(work, name, [], lay, {
    Cmd: ['sh', 'start.sh'],
    Env: ['PATH=/usr/bin:/bin', 'HOME=/root', 'ENV=prod', 'PORT=8080', `WEBUI_BUILD_VERSION=${version}`],
    User: '0:0',
    WorkingDir: '/app/backend',
  })
}

/** Of curl what health checks use: the last argument is the address. */
const CURL = '#!/bin/sh\nfor address; do :; done\nexec wget -q -O - "$address"\n'

function layNode(dir: string, rootfs: string, node: string): void {
  layFile(dir, '/usr/bin/node', node)
  for (const library of librariesOf(node)) layFile(dir, library, realpathSync(join(rootfs, library)))
  mkdirSync(join(dir, 'engine'), { recursive: true })
  for (const name of SOURCES) writeFileSync(join(dir, `engine/${name}.mjs`), javaScript(`${name}.ts`))
}

/** A container starts Node for each health check, which takes half as long when it need not read TypeScript. */
function javaScript(file: string): string {
  const source = readFileSync(join(import.meta.dirname, file), 'utf8')
  return stripTypeScriptTypes(source).replaceAll(/(?<=from '\.\/\w+)\.ts(?=')/g, '.mjs')
}

const IDLE = '#!/bin/sh\ntrap "exit 0" TERM\nwhile true; do sleep 3600 & wait $!; done\n'

function layBusybox(dir: string, rootfs: string): void {
  for (const path of ['bin', 'dev', 'etc', 'proc', 'run', 'sys', 'tmp']) mkdirSync(join(dir, path), { recursive: true })
  chmodSync(join(dir, 'tmp'), 0o1777)
  cpSync(realpathSync(join(rootfs, 'bin/busybox')), join(dir, 'bin/busybox'))
  const applets = ['sh', 'sleep', 'true', 'false', 'cat', 'ls', 'id', 'ps', 'nc', 'wget', 'ip', 'stty', 'env']
  for (const applet of applets) symlinkSync('busybox', join(dir, 'bin', applet))
  writeFileSync(join(dir, 'bin/idle'), IDLE, { mode: 0o755 })
}

function layFile(dir: string, path: string, from: string): void {
  mkdirSync(dirname(join(dir, path)), { recursive: true })
  copyFileSync(from, join(dir, path))
}

/** Paths of the shared libraries; a Debian of the same architecture has them under the same paths. @see ldd(1) */
function librariesOf(program: string): string[] {
  const text = execFileSync('ldd', [program], { encoding: 'utf8' })
  return [...text.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path)
}

/** Leaves `layer/srv/images/NAME.tar` in the work directory. */
function pack(
  work: string,
  name: string,
  entrypoint: readonly string[],
  lay: (dir: string) => void,
  more: Partial<ImageConfig> = {},
): void {
  const dir = join(work, name)
  lay(dir)
  mkdirSync(join(work, 'layer', ARCHIVES), { recursive: true })
  writeOciArchive(join(work, 'layer', ARCHIVES, `${name}.tar`), {
    name: `localhost/${name}:latest`,
    architecture: { x64: 'amd64' }[process.arch as string] ?? process.arch,
    config: { Entrypoint: entrypoint, Env: ['PATH=/usr/bin:/bin'], ...more },
    root: dir,
  })
}

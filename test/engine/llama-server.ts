import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDir, debianMirror } from '../lab/rootfs.ts'
import { tinyModel } from './tiny-model.ts'

/** A running llama.cpp. */
export type LlamaServer = {
  /** Where it listens, such as `http://127.0.0.1:40123`. */
  readonly url: string
  /** Requests that it is working on. */
  busySlots(): Promise<number>
  stop(): Promise<void>
}

/** An unpacked llama.cpp, or why this machine has none. */
export type Llama =
  | { readonly kind: 'ready'; readonly root: string }
  | { readonly kind: 'unavailable'; readonly reason: string }

const SUITE = 'forky'
/** The engine and all that it loads: it runs beside the libraries of an older Debian, with its own loader. */
const PACKAGES = [
  ...['libc6', 'libgcc-s1', 'libstdc++6', 'libgomp1', 'libssl3t64', 'libzstd1', 'zlib1g'],
  ...['libggml0', 'libllama0', 'llama.cpp-tools'],
]
const LIBRARIES = 'usr/lib/x86_64-linux-gnu'

/**
 * The llama.cpp of a newer Debian, in the cache of the lab. The first time it is fetched, some 12 MB; nothing of the
 * host is touched.
 */
export function prepareLlama(): Llama {
  const root = join(cacheDir, `llama-${SUITE}`)
  if (existsSync(root)) return { kind: 'ready', root }
  if (process.arch !== 'x64' || process.getuid?.() !== 0) return { kind: 'unavailable', reason: 'not root on x86-64' }
  const mirror = debianMirror()
  if (mirror === undefined) return { kind: 'unavailable', reason: 'no Debian mirror in the apt sources' }
  const partial = `${root}.${process.pid}`
  try {
    const reason = fetchInto(partial, mirror)
    if (reason !== undefined) return { kind: 'unavailable', reason }
    // built under a name of its own, then renamed: what is there under the final name is whole
    if (!existsSync(root)) renameSync(partial, root)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
  return { kind: 'ready', root }
}

/** @returns what went wrong */
function fetchInto(root: string, mirror: string): string | undefined {
  const apt = join(root, 'apt')
  for (const directory of ['etc/preferences.d', 'lists/partial', 'archives/partial', 'debs'])
    mkdirSync(join(apt, directory), { recursive: true })
  writeFileSync(join(apt, 'status'), '')
  const key = '/usr/share/keyrings/debian-archive-keyring.gpg'
  writeFileSync(join(apt, 'etc/sources.list'), `deb [signed-by=${key}] ${mirror} ${SUITE} main\n`)
  const options = [
    `Dir::Etc=${apt}/etc`,
    `Dir::State=${apt}`,
    `Dir::State::status=${apt}/status`,
    `Dir::Cache=${apt}`,
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option])
  const get = (...args: string[]) => run('apt-get', ['-qq', ...options, ...args], join(apt, 'debs'))
  const problem = get('update') ?? get('download', ...PACKAGES)
  if (problem !== undefined) return problem
  for (const archive of globSync(`${apt}/debs/*.deb`)) {
    const failed = run('dpkg-deb', ['--extract', archive, root], apt)
    if (failed !== undefined) return failed
  }
  rmSync(apt, { recursive: true })
  return undefined
}

function run(program: string, args: readonly string[], cwd: string): string | undefined {
  const { status, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' })
  return status === 0 ? undefined : `${program} failed: ${stderr?.trim().split('\n').at(-1) ?? 'not found'}`
}

/**
 * Starts it on a free port of loopback with the tiny model, as `tiny`, and two slots.
 * @param directory where its model and its log go
 * @param contextTokens of both slots together
 * @throws Error with its log when it does not come up
 */
export async function startLlama(root: string, directory: string, contextTokens = 16_000): Promise<LlamaServer> {
  const model = join(directory, 'tiny.gguf')
  writeFileSync(model, tinyModel())
  const libraries = join(root, LIBRARIES)
  const loader = [join(root, 'usr/lib64/ld-linux-x86-64.so.2'), '--library-path', `${libraries}:${libraries}/llama`]
  const args = [
    ...[...loader, join(root, 'usr/bin/llama-server'), '--model', model, '--alias', 'tiny'],
    ...['--host', '127.0.0.1', '--port', '0', '--threads', '1', '--parallel', '2', '--ctx-size', `${contextTokens}`],
    ...['--no-ui', '--metrics', '--slots'],
  ]
  const env = { GGML_BACKEND_PATH: join(libraries, `ggml/backends0/libggml-cpu-${processor()}.so`) }
  const child = spawn(args[0] ?? '', args.slice(1), { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  for (const output of [child.stdout, child.stderr]) output.on('data', (chunk: Buffer) => (log += chunk.toString()))
  const url = await listening(child, () => log)
  return {
    url,
    async busySlots() {
      const slots = (await (await fetch(`${url}/slots`)).json()) as { readonly is_processing: boolean }[]
      return slots.filter((slot) => slot.is_processing).length
    },
    async stop() {
      if (child.exitCode !== null) return
      child.kill('SIGKILL')
      await new Promise((resolve) => child.once('exit', resolve))
    },
  }
}

/** The newest of its backends that this processor can run. */
function processor(): string {
  return readFileSync('/proc/cpuinfo', 'utf8').includes(' avx2 ') ? 'haswell' : 'x64'
}

async function listening(child: ChildProcess, log: () => string): Promise<string> {
  for (let tries = 0; tries < 600 && child.exitCode === null; tries++) {
    const url = /listening on (http:\/\/\S+:[1-9]\d*)/.exec(log())?.[1]
    if (url !== undefined) return url
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  child.kill('SIGKILL')
  throw new Error(`llama-server did not come up:\n${log()}`)
}

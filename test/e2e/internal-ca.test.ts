// What people's machines make of the internal CA: before its installer ran, after it, and after it took itself back.

import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compile } from '../../compiler/compile.ts'
import { signNew } from '../../pki/ca/signing.ts'
import { isLong } from '../support/effort.ts'
import { gatectl } from '../support/gatectl.ts'
import { hasProgram, tryRun } from '../support/programs.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const DOMAIN = 'gate.example'
const place = temporaryDirectory()
const servers: Server[] = []
const ports = { inside: 0, outside: 0 }
const ca = ['--directory', place.file('ca')]

const privileged = process.getuid?.() === 0 ? [] : ['--map-root-user']
const inside = (script: string, ...args: readonly string[]) =>
  ended('unshare', [...privileged, '--mount', '--propagation', 'private', 'sh', '-euc', script, 'sh', ...args])

/** Runs a program while the servers of this process answer. */
function ended(program: string, args: readonly string[]) {
  const env = {
    ...process.env,
    PATH: `${process.env['PATH']}:/usr/sbin:/sbin`,
    HOME: place.file('home'),
    SUDO_USER: '',
  }
  return new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(program, args, { env, timeout: 60_000 }, (_, stdout, stderr) =>
      resolve({ status: child.exitCode, stdout, stderr }),
    )
    child.stdin?.end()
  })
}

const canUnshare = tryRun('unshare', [...privileged, '--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0
const hasAll = canUnshare && ['curl', 'openssl', 'update-ca-certificates'].every(hasProgram)

beforeAll(async () => {
  if (!hasAll) return
  await gatectl(['ca', 'init', '--domain', DOMAIN, ...ca])
  await gatectl(['ca', 'issue', `chat.${DOMAIN}`, '--out', place.path, ...ca])
  ports.inside = await serve(place.read(`chat.${DOMAIN}.crt`), place.read(`chat.${DOMAIN}.key`))
  // what the key of the root could sign if it were stolen
  const root = { cert: place.read('ca/root.crt'), key: place.read('ca/root.key') }
  const names = { kind: 'names', dns: ['bank.example', `chat.${DOMAIN}`], addresses: [] } as const
  const life = { fromMs: Date.now() - 60_000, toMs: Date.now() + 86_400_000 }
  const stolen = await signNew({ subject: 'x', ...life, extensions: [{ kind: 'server' }, names] }, randomBytes, root)
  ports.outside = await serve(stolen.cert, stolen.key)
  mkdirSync(place.file('home'))
  // a system of its own: what the installer writes is seen by these programs alone
  cpSync('/etc', place.file('etc'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !path.startsWith('/etc/shadow'),
  })
  cpSync('/usr/local/share', place.file('share'), { recursive: true, verbatimSymlinks: true })
  const compiled = compile(
    `[gate]\ndomain = "${DOMAIN}"\n[gate.tls]\ninternal_ca = true\n[proxy]\nengine = "nginx"\n[client]\nenable = true\n`,
    { targets: ['client'] },
  )
  if (compiled.kind === 'refused') throw new Error(JSON.stringify(compiled.diagnostics))
  place.write('install.sh', compiled.files.find(({ path }) => path === 'client/install-client.sh')?.text ?? '')
})
afterAll(() => {
  for (const server of servers) server.close()
  place.remove()
})

async function serve(cert: string, key: string): Promise<number> {
  const server = createServer({ cert, key }, (_, response) => response.end('<p>the gateway</p>'))
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** Runs a program on that machine. @param more mounts before it @param etc its directory of this name */
const onMachine = (command: readonly string[], more = '', etc = 'etc') =>
  inside(
    `etc=$1 share=$2; shift 2; mount --bind "$etc" /etc; mount --bind "$share" /usr/local/share; ${more} exec "$@"`,
    place.file(etc),
    place.file('share'),
    ...command,
  )

const NAME = `chat.${DOMAIN}`
const curl = (port: number, ...options: readonly string[]) =>
  onMachine([
    'curl',
    '-sS',
    '--max-time',
    '10',
    '--resolve',
    `${NAME}:${port}:127.0.0.1`,
    ...options,
    `https://${NAME}:${port}/`,
  ])
const install = (...args: readonly string[]) =>
  onMachine(['setsid', '--wait', 'sh', place.file('install.sh'), ...args], 'mkdir -p /run/systemd;')
const trusting = () => install('127.0.0.1', '--yes', '--ca', place.file('ca/ca.crt'))

const browse = async (port: number) =>
  (
    await onMachine([
      'timeout',
      '50',
      'chromium',
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--no-first-run',
      `--user-data-dir=${place.file(`profile-${randomBytes(4).toString('hex')}`)}`,
      `--host-resolver-rules=MAP ${NAME} 127.0.0.1`,
      '--dump-dom',
      `https://${NAME}:${port}/`,
    ])
  ).stdout

/** Every file of that machine and of its user, by its sum; Java's store differs with each writing. */
function snapshot(): Record<string, string> {
  const found: Record<string, string> = {}
  for (const folder of ['etc', 'share', 'home'])
    for (const entry of readdirSync(place.file(folder), { recursive: true, withFileTypes: true }))
      if (entry.isFile() && !entry.parentPath.endsWith('/java')) {
        const path = join(entry.parentPath, entry.name)
        found[path] = createHash('sha256').update(readFileSync(path)).digest('hex')
      }
  return found
}

describe.skipIf(!hasAll)(
  'a machine with Debian (needs unshare with mounts, curl, openssl, update-ca-certificates)',
  () => {
    let before: Record<string, string> = {}
    test('does not trust a certificate of the CA', async () => {
      expect((await onMachine(['update-ca-certificates'])).status).toBe(0)
      before = snapshot()
      expect(await curl(ports.inside)).toMatchObject({ status: 60 })
    })

    test('trusts it after the installer ran', async () => {
      expect(await trusting()).toMatchObject({ status: 0 })
      expect(await curl(ports.inside)).toMatchObject({ status: 0, stdout: '<p>the gateway</p>' })
    })

    test('refuses what the CA may not sign for', async () => {
      const refused = await curl(ports.outside)
      expect(refused).toMatchObject({ status: 60, stdout: '' })
      expect(refused.stderr).toMatch(/permitted subtree violation|unsupported name constraint|certificate/i)
      const said = await onMachine([
        'openssl',
        's_client',
        '-connect',
        `127.0.0.1:${ports.outside}`,
        '-servername',
        NAME,
      ])
      expect(said.stdout + said.stderr).toContain('permitted subtree violation')
    })

    test('does not trust it any more after --uninstall, and is what it was', async () => {
      expect(await install('--uninstall', '--yes')).toMatchObject({ status: 0 })
      expect(await curl(ports.inside)).toMatchObject({ status: 60 })
      expect(snapshot()).toEqual(before)
    })
  },
)

describe.skipIf(!isLong || !hasAll || !hasProgram('certutil'))(
  'the store of Chromium and Firefox (needs certutil)',
  () => {
    const store = () => `sql:${place.file('home/.pki/nssdb')}`
    const certutil = (...args: readonly string[]) => onMachine(['certutil', ...args, '-d', store()])

    test('takes the CA, gives it back, and keeps what others put there', async () => {
      mkdirSync(place.file('home/.pki/nssdb'), { recursive: true })
      expect((await certutil('-N', '--empty-password')).status).toBe(0)
      const other = tryRun('openssl', [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-subj',
        '/CN=other',
        '-keyout',
        place.file('other.key'),
        '-out',
        place.file('other.crt'),
      ])
      expect(other.status).toBe(0)
      expect((await certutil('-A', '-n', 'other', '-t', 'C,,', '-a', '-i', place.file('other.crt'))).status).toBe(0)
      expect((await trusting()).stdout).toContain('trusted in')
      expect(await trusting()).toMatchObject({ status: 0 })
      expect((await certutil('-L')).stdout.match(/^gate-gate\.example +C,,/gm)).toHaveLength(1)
      const leaf = place.file(`chat.${DOMAIN}.crt`)
      expect((await certutil('-A', '-n', 'leaf', '-t', ',,', '-a', '-i', leaf)).status).toBe(0)
      expect((await certutil('-V', '-n', 'leaf', '-u', 'V')).stdout).toContain('certificate is valid')
      expect(await install('--uninstall', '--yes')).toMatchObject({ status: 0 })
      expect((await certutil('-V', '-n', 'leaf', '-u', 'V')).stdout).not.toContain('certificate is valid')
      expect((await certutil('-L')).stdout).not.toContain('gate-gate.example')
      expect((await certutil('-L')).stdout).toMatch(/^other +C,,/m)
    })
  },
)

describe.skipIf(!isLong || !hasAll || !hasProgram('chromium') || !hasProgram('certutil'))(
  `Chromium (needs ${isLong ? 'chromium' : 'chromium, which npm run test:long installs'}, certutil)`,
  () => {
    test('trusts the CA between the installer and --uninstall, and nothing beyond its names', async () => {
      expect(await browse(ports.inside)).not.toContain('the gateway')
      expect(await trusting()).toMatchObject({ status: 0 })
      expect(await browse(ports.inside)).toContain('<p>the gateway</p>')
      expect(await browse(ports.outside)).not.toContain('the gateway')
      expect(await install('--uninstall', '--yes')).toMatchObject({ status: 0 })
      expect(await browse(ports.inside)).not.toContain('the gateway')
    })
  },
)

/** The real tool of p11-kit on the directories of another system, behind the name that this system has for it. */
const P11 = [
  {
    system: 'Fedora',
    anchors: '/etc/pki/ca-trust/source/anchors',
    bundle: '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  },
  {
    system: 'Arch Linux',
    anchors: '/etc/ca-certificates/trust-source/anchors',
    bundle: '/etc/ca-certificates/extracted/tls-ca-bundle.pem',
  },
] as const

describe.skipIf(!isLong || !hasAll || !hasProgram('trust')).each(P11)(
  'a tree like that of $system, with the real p11-kit (needs trust of p11-kit)',
  ({ system, anchors, bundle }) => {
    const source = anchors.replace(/\/anchors$/, '')
    const prepared = `
    mkdir -p ${anchors} ${bundle.replace(/\/[^/]*$/, '')} /etc/pkcs11/modules
    printf 'module: p11-kit-trust.so\\nx-init-reserved: paths="%s"\\n' ${source} >/etc/pkcs11/modules/p11-kit-trust.module
    mount -t tmpfs none /usr/local/sbin
    printf '#!/bin/sh\\nexec trust extract --format=pem-bundle --filter=ca-anchors --overwrite --purpose server-auth ${bundle}\\n' >/usr/local/sbin/update-ca-trust
    chmod 755 /usr/local/sbin/update-ca-trust; PATH=/usr/local/sbin:$PATH;`
    const run = (...args: readonly string[]) =>
      onMachine(['setsid', '--wait', 'sh', place.file('install.sh'), ...args], prepared, etc)
    const etc = `etc-${system.split(' ')[0]}`
    const ask = (port: number) =>
      onMachine(
        [
          'curl',
          '-sS',
          '--max-time',
          '10',
          '--resolve',
          `${NAME}:${port}:127.0.0.1`,
          '--cacert',
          bundle,
          `https://${NAME}:${port}/`,
        ],
        '',
        etc,
      )
    const asked = () => ask(ports.inside)

    test('trusts the CA between the installer and --uninstall', async () => {
      cpSync(place.file('etc'), place.file(etc), { recursive: true, verbatimSymlinks: true })
      const installed = await run('127.0.0.1', '--yes', '--ca', place.file('ca/ca.crt'))
      expect(installed, installed.stderr).toMatchObject({ status: 0 })
      expect(await asked()).toMatchObject({ status: 0, stdout: '<p>the gateway</p>' })
      expect(await ask(ports.outside)).toMatchObject({ status: 60 })
      expect(await run('--uninstall', '--yes')).toMatchObject({ status: 0 })
      expect((await asked()).status).not.toBe(0)
    })
  },
)

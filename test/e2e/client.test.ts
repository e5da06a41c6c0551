import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compile } from '../../compiler/compile.ts'
import { printShell } from '../../syntax/shell/print.ts'
import { throwAwayCertificate } from '../support/certificate.ts'
import { expectedGolden, goldenNames } from '../support/golden.ts'
import { nastyText } from '../support/nasty-text.ts'
import { hasProgram, run, tryRun } from '../support/programs.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const SHELLS = [
  { name: 'dash', command: ['dash'] },
  { name: 'busybox', command: ['busybox', 'sh'] },
  { name: 'bash', command: ['bash', '--posix'] },
] as const

const SYSTEMS = [
  {
    system: 'debian',
    makes: ['run/systemd/resolve'],
    anchor: 'usr/local/share/ca-certificates',
    dns: 'etc/systemd/resolved.conf.d',
  },
  {
    system: 'fedora',
    makes: ['etc/pki/ca-trust/source/anchors', 'run/systemd/resolve'],
    anchor: 'etc/pki/ca-trust/source/anchors',
    dns: 'etc/systemd/resolved.conf.d',
  },
  {
    system: 'arch',
    makes: ['etc/ca-certificates/trust-source/anchors', 'etc/NetworkManager'],
    anchor: 'etc/ca-certificates/trust-source/anchors',
    dns: 'etc/NetworkManager/dnsmasq.d',
  },
  { system: 'macos', makes: [], anchor: 'Library/Application Support/gate-ai.home.arpa', dns: 'etc/resolver' },
] as const

const RELOADS = {
  debian:
    'update-ca-certificates\nsystemctl restart systemd-resolved\nupdate-ca-certificates --fresh\nsystemctl restart systemd-resolved\n',
  fedora:
    'update-ca-trust extract\nsystemctl restart systemd-resolved\nupdate-ca-trust extract\nsystemctl restart systemd-resolved\n',
  arch: 'update-ca-trust \nsystemctl reload NetworkManager\nupdate-ca-trust \nsystemctl reload NetworkManager\n',
} as const

const directory = temporaryDirectory()
const ca = { text: '', sum: '' }
let server: ReturnType<typeof createServer>
let port = 0

beforeAll(async () => {
  if (hasProgram('openssl')) {
    throwAwayCertificate(directory.path, ['ca'])
    ca.text = directory.read('cert.pem')
    ca.sum = createHash('sha256').update(ca.text).digest('hex')
  }
  server = createServer((request, response) => response.end(request.url === '/ca.crt' ? ca.text : '<html>'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  port = typeof address === 'object' && address !== null ? address.port : 0
})
afterAll(() => {
  server.close()
  directory.remove()
})

const goldens = goldenNames().flatMap((name) => {
  const text = expectedGolden(name).get('client/install-client.sh')
  return text === undefined ? [] : [{ name, text, sum: expectedGolden(name).get('client/install-client.sh.sha256') }]
})

test('there are goldens for clients', () => expect(goldens.length).toBeGreaterThan(0))

describe.each(goldens)('the golden $name', ({ text, sum }) => {
  test.skipIf(!hasProgram('shellcheck'))('passes shellcheck (needs shellcheck)', () => {
    expect(tryRun('shellcheck', ['-s', 'sh', '-'], text)).toMatchObject({ status: 0, stdout: '' })
  })
  test.each(SHELLS)('parses in $name', ({ command: [program, ...args] }) => {
    if (hasProgram(program)) expect(tryRun(program, [...args, '-n'], text)).toMatchObject({ status: 0, stderr: '' })
  })
  test('has the checksum that stands beside it', () => {
    expect(sum).toBe(`${createHash('sha256').update(text).digest('hex')}  install-client.sh\n`)
  })
})

const rows = SHELLS.flatMap((shell) =>
  SYSTEMS.map((system) => ({ ...system, shell: shell.name, command: shell.command })),
)

test.skipIf(!hasProgram('busybox') || !hasProgram('dash') || !hasProgram('curl') || !hasProgram('openssl')).each(rows)(
  '$shell installs and uninstalls on $system (needs dash, busybox, curl, openssl)',
  async ({ shell, command, system, makes, anchor, dns }) => {
    const place = fakeSystem(`${shell}-${system}`, system, makes)
    const before = files(place.root)
    const installed = await place.run(command, ['127.0.0.1', '--yes', '--sha256', ca.sum])
    expect(installed).toMatchObject({ status: 0, stderr: '' })
    expect(installed.stdout).toContain(`CA: SHA-256 ${ca.sum}`)
    const anchorFile = system === 'macos' ? 'ca.crt' : 'gate-ai.home.arpa.crt'
    expect(readFileSync(join(place.root, anchor, anchorFile), 'utf8')).toBe(ca.text)
    const rules = system === 'macos' ? 'ai.home.arpa' : 'gate-ai.home.arpa.conf'
    expect(readFileSync(join(place.root, dns, rules), 'utf8')).toBe(
      {
        debian: '[Resolve]\nDNS=127.0.0.1\nDomains=~ai.home.arpa\n',
        fedora: '[Resolve]\nDNS=127.0.0.1\nDomains=~ai.home.arpa\n',
        arch: 'server=/ai.home.arpa/127.0.0.1#53\n',
        macos: 'nameserver 127.0.0.1\nport 53\n',
      }[system],
    )
    expect(await place.run(command, ['--uninstall', '--yes'])).toMatchObject({ status: 0, stderr: '' })
    expect(files(place.root)).toEqual(before)
    if (system !== 'macos') expect(place.calls()).toBe(RELOADS[system])
    else
      expect(place.calls()).toMatch(
        /^security add-trusted-cert .*\ndscacheutil .*\nsecurity remove-trusted-cert .*\ndscache/,
      )
  },
)

test.skipIf(!hasProgram('curl') || !hasProgram('openssl')).each([
  { name: 'without an address', args: ['--yes'], says: 'give the address' },
  { name: 'with a name instead of an address', args: ['host.example.org', '--yes'], says: 'not an IP address' },
  { name: 'with an address that is none', args: ['1.2.3.4;id', '--yes'], says: 'not an IP address' },
  { name: 'when the CA is another', args: ['127.0.0.1', '--yes', '--sha256', '0'.repeat(64)], says: 'not the one' },
  {
    name: 'when the file is no certificate',
    args: ['127.0.0.1', '--yes', '--ca', '/etc/hostname'],
    says: 'not a certificate',
  },
  { name: 'without --yes when nobody can be asked', args: ['127.0.0.1'], says: 'no terminal' },
  { name: 'with --yes and a CA that came over HTTP', args: ['127.0.0.1', '--yes'], says: '--yes needs --sha256' },
  {
    name: 'with --yes and the sum left empty',
    args: ['127.0.0.1', '--yes', '--sha256', ''],
    says: 'run sha256sum on the CA of the gateway',
  },
  { name: 'with an unknown option', args: ['127.0.0.1', '--force'], says: 'unknown option --force' },
])('changes nothing $name (needs curl, openssl)', async ({ args, says }) => {
  const place = fakeSystem(`refused-${says}`, 'debian', ['run/systemd/resolve'])
  const before = files(place.root)
  const { status, stderr } = await place.run(['sh'], args)
  expect({ status, says: stderr.includes(says) }).toEqual({ status: 1, says: true })
  expect(files(place.root)).toEqual(before)
  expect(place.calls()).toBe('')
})

test.skipIf(!hasProgram('openssl'))('--yes takes a CA that was brought in a file (needs openssl)', async () => {
  const place = fakeSystem('brought', 'debian', ['run/systemd/resolve'])
  const { status, stderr } = await place.run(['sh'], ['127.0.0.1', '--yes', '--ca', directory.file('cert.pem')])
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  const installed = join(place.root, 'usr/local/share/ca-certificates/gate-ai.home.arpa.crt')
  expect(readFileSync(installed, 'utf8')).toBe(ca.text)
})

test.skipIf(!hasProgram('openssl'))(
  'several roots are a file each, and one that is over goes (needs openssl)',
  async () => {
    const place = fakeSystem('several', 'debian', ['run/systemd/resolve'])
    const other = temporaryDirectory()
    throwAwayCertificate(other.path, ['other'])
    const [next, both] = [other.read('cert.pem'), other.file('both.pem')]
    other.write('both.pem', `${ca.text}${next}`)
    const anchors = join(place.root, 'usr/local/share/ca-certificates')
    const before = files(place.root)
    expect(await place.run(['sh'], ['127.0.0.1', '--yes', '--ca', both])).toMatchObject({ status: 0, stderr: '' })
    expect(readFileSync(join(anchors, 'gate-ai.home.arpa.crt'), 'utf8')).toBe(ca.text)
    expect(readFileSync(join(anchors, 'gate-ai.home.arpa-2.crt'), 'utf8')).toBe(next)
    expect(await place.run(['sh'], ['127.0.0.1', '--yes', '--ca', other.file('cert.pem')])).toMatchObject({ status: 0 })
    expect(readdirSync(anchors)).toEqual(['gate-ai.home.arpa.crt'])
    expect(readFileSync(join(anchors, 'gate-ai.home.arpa.crt'), 'utf8')).toBe(next)
    expect(await place.run(['sh'], ['--uninstall', '--yes'])).toMatchObject({ status: 0, stderr: '' })
    expect(files(place.root)).toEqual(before)
    other.remove()
  },
)

test('any text of a spec is one value in every shell, or is refused', () => {
  const texts = fc.sample(nastyText, { numRuns: 1_000, seed: 3 }).filter((text) => text.isWellFormed())
  const isRefused = (text: string) => [...text].some((sign) => sign < ' ' || sign === '\x7f')
  const [refused, accepted] = [texts.filter(isRefused), texts.filter((text) => !isRefused(text))]
  const script = (values: readonly string[]) =>
    printShell({
      origin: [],
      comment: [],
      assignments: values.map((value, i) => ({ name: `V${i}`, value })),
      program: values.map((_, i) => `printf '%s\\n' "$V${i}"`).join('\n'),
    }).text
  for (const text of refused) expect(() => script([text])).toThrow(RangeError)
  for (const {
    command: [program, ...args],
  } of SHELLS)
    if (hasProgram(program)) expect(run(program, args, script(accepted))).toBe(`${accepted.join('\n')}\n`)
  expect(accepted.length).toBeGreaterThan(100)
})

/** A root directory with what a system has, and programs of that system that write down how they were called. */
function fakeSystem(name: string, system: string, makes: readonly string[]) {
  const root = directory.file(`root-${name.replaceAll(' ', '-')}`)
  for (const folder of makes) mkdirSync(join(root, folder), { recursive: true })
  const programs = join(root, 'stubs')
  mkdirSync(programs, { recursive: true })
  const stub = (
    program: string,
    body = `echo "${program} $*" | sed 's/update-ca-certificates $/update-ca-certificates/' >> "${root}.calls"`,
  ) => {
    writeFileSync(join(programs, program), `#!/bin/sh\n${body}\n`)
    chmodSync(join(programs, program), 0o755)
  }
  for (const program of [
    'update-ca-certificates',
    'update-ca-trust',
    'security',
    'systemctl',
    'dscacheutil',
    'dnsmasq',
  ])
    stub(program)
  stub('uname', `echo ${system === 'macos' ? 'Darwin' : 'Linux'}`)
  const result = compile(
    `[gate]\ndomain = "ai.home.arpa"\n[proxy]\nengine = "nginx"\n[dns]\nengine = "dnsmasq"\nlisten = "lo"\n[client]\nenable = true\nca = "/etc/ca.crt"\nport = ${port}`,
    { targets: ['client'] },
  )
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.diagnostics))
  const script = result.files.find(({ path }) => path === 'client/install-client.sh')?.text ?? ''
  return {
    root,
    calls: () => (existsSync(`${root}.calls`) ? readFileSync(`${root}.calls`, 'utf8') : ''),
    /** As people run it: the script comes in by a pipe. */
    run: ([program, ...before]: readonly string[], args: readonly string[]) => {
      const env = { PATH: `${programs}:${process.env['PATH']}`, GATE_ROOT: root }
      // setsid: no terminal to ask on
      return piped(
        'setsid',
        ['--wait', program ?? '', ...before, '-s', ...(args[0]?.startsWith('-') ? ['--'] : []), ...args],
        script,
        env,
      )
    },
  }
}

function piped(program: string, args: readonly string[], input: string, env: NodeJS.ProcessEnv) {
  return new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = spawn(program, args, { env })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
    })
    child.on('close', (status) => resolve({ status, stdout, stderr }))
    // a script that has seen enough stops reading
    child.stdin.on('error', (error: NodeJS.ErrnoException) => expect(error.code).toBe('EPIPE'))
    child.stdin.end(input)
  })
}

function files(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, afterEach, expect, test } from 'vitest'
import { compile } from '../../compiler/compile.ts'
import { printDnsmasq } from '../../syntax/dnsmasq/print.ts'
import { until } from '../support/daemon.ts'
import { expectedGolden, goldenNames } from '../support/golden.ts'
import { nastyText } from '../support/nasty-text.ts'
import { freePort, hasProgram, run, tryRun } from '../support/programs.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const directory = temporaryDirectory()
const running: ChildProcess[] = []
const withDnsmasq = test.skipIf(!hasProgram('dnsmasq') || !hasProgram('dig'))
const goldens = goldenNames().flatMap((name) =>
  [...expectedGolden(name)]
    .filter(([path]) => path.startsWith('dnsmasq/'))
    .map(([path, text]) => ({ name: `${name}/${path}`, path, text })),
)

afterEach(async () => {
  for (const child of running.splice(0)) {
    const exited = new Promise((resolve) => child.once('exit', resolve))
    if (child.kill('SIGTERM')) await exited
  }
})
afterAll(directory.remove)

test('there are goldens for dnsmasq', () => expect(goldens.length).toBeGreaterThan(4))

withDnsmasq.each(goldens.filter(({ path }) => path.endsWith('.conf')))(
  'dnsmasq --test (needs dnsmasq, dig) accepts the golden $name',
  ({ text }) => expect(check(text)).toMatchObject({ status: 0 }),
)

test.skipIf(!hasProgram('systemd-analyze')).each(goldens.filter(({ path }) => path.endsWith('.service')))(
  'systemd-analyze (needs systemd) accepts the golden $name, and rates its exposure 1.5 or less',
  ({ path, text }) => {
    const file = directory.file(path.slice('dnsmasq/'.length))
    writeFileSync(file, text)
    expect(tryRun('systemd-analyze', ['verify', '--man=no', file])).toMatchObject({ status: 0, stderr: '' })
    expect(tryRun('systemd-analyze', ['security', '--offline=yes', '--threshold=15', file]).status).toBe(0)
  },
)

withDnsmasq('names of the domain lead to the address; all other names are refused (needs dnsmasq, dig)', async () => {
  const dig = await serve('listen = "127.0.0.1"')
  for (const name of ['ai.home.arpa', 'api.ai.home.arpa', 'webui.ai.home.arpa'])
    expect(dig(name)).toEqual({ status: 'NOERROR', addresses: ['127.0.0.1'] })
  expect(dig('API.ai.home.arpa')).toEqual({ status: 'NOERROR', addresses: ['127.0.0.1'] })
  expect(dig('nobody.ai.home.arpa')).toEqual({ status: 'NXDOMAIN', addresses: [] })
  for (const name of ['example.org', 'home.arpa', 'localhost.', 'xai.home.arpa'])
    expect(dig(name)).toEqual({ status: 'REFUSED', addresses: [] })
})

withDnsmasq('names lead to the addresses of an interface (needs dnsmasq, dig)', async () => {
  const dig = await serve('listen = "lo"')
  expect(dig('api.ai.home.arpa')).toEqual({ status: 'NOERROR', addresses: ['127.0.0.1'] })
  expect(dig('example.org')).toEqual({ status: 'REFUSED', addresses: [] })
})

withDnsmasq(
  'other names are forwarded only when the spec asks for it, the own ones never (needs dnsmasq, dig)',
  async () => {
    // a name server of the outside that claims a name of ours as well; forward takes no port, so it is on 53 of its own
    // address
    const outside = ['host-record=example.org,192.0.2.1', 'host-record=foreign.ai.home.arpa,192.0.2.66']
    await start(
      [
        'port=53',
        'listen-address=127.0.53.77',
        'bind-interfaces',
        'no-resolv',
        'no-hosts',
        'pid-file=',
        ...outside,
      ].join('\n'),
    )
    const dig = await serve('listen = "127.0.0.1"\nforward = ["127.0.53.77"]')
    await until(() => dig('example.org').status === 'NOERROR')
    expect(dig('example.org')).toEqual({ status: 'NOERROR', addresses: ['192.0.2.1'] })
    expect(dig('foreign.ai.home.arpa')).toEqual({ status: 'NXDOMAIN', addresses: [] })
  },
)

withDnsmasq('any text for a name or address is refused, or read as one option (needs dnsmasq, dig)', () => {
  const label = fc.oneof(nastyText, fc.stringMatching(/^[a-z0-9-]{1,10}$/))
  let accepted = 0
  fc.assert(
    fc.property(label, label, label, (domain, listen, alias) => {
      const text = JSON.stringify({
        gate: { domain },
        proxy: { engine: 'nginx', aliases: [alias] },
        dns: { engine: 'dnsmasq', listen },
      })
      const result = compile(text, { targets: ['dnsmasq'] })
      if (result.kind === 'refused') return
      accepted++
      const conf = result.files.find(({ path }) => path === 'dnsmasq/dnsmasq.conf')?.text ?? ''
      const lines = conf.split('\n').map((line) => line.replace(/=.*/, ''))
      const names = ['interface-name', 'interface-name', '']
      const loopback = listen === 'lo' ? [] : ['except-interface']
      const options = ['port', 'bind-dynamic', 'interface', ...loopback, 'no-resolv', 'no-hosts', 'pid-file', 'local']
      expect(lines.slice(1)).toEqual([...options, ...names])
      expect(conf).toContain(`\nlocal=/${domain}/\n`)
      expect(conf).toContain(`\ninterface-name=${alias}.${domain},${listen}\n`)
      expect(check(conf)).toMatchObject({ status: 0 })
    }),
    { numRuns: 700, seed: 7 },
  )
  expect(accepted).toBeGreaterThan(20)
})

test('the printer throws for what is neither a name nor an address', () => {
  for (const value of ['a,b', 'a b', 'a#b', 'a"b', 'a\nb', 'a\\b', 'é'])
    expect(() => printDnsmasq([], [{ name: 'server', values: [value] }], [])).toThrow(RangeError)
})

function check(text: string) {
  writeFileSync(directory.file('test.conf'), text)
  return tryRun('dnsmasq', ['--test', `--conf-file=${directory.file('test.conf')}`])
}

async function start(text: string): Promise<void> {
  const file = directory.file(`${running.length}.conf`)
  writeFileSync(file, `${text}\n`)
  const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` }
  const args = ['--keep-in-foreground', '--log-facility=-', '--user=', `--conf-file=${file}`]
  const child = spawn('dnsmasq', args, { stdio: ['ignore', 'ignore', 'pipe'], env })
  running.push(child)
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  await until(() => {
    if (child.exitCode !== null) throw new Error(said)
    return said.includes('started')
  })
}

/** Runs the name server of a spec. @returns asks it for the addresses of a name */
async function serve(dns: string): Promise<(name: string) => { status: string | undefined; addresses: string[] }> {
  const port = await freePort()
  const spec = `
    [gate]
    domain = "ai.home.arpa"
    [proxy]
    engine = "nginx"
    aliases = ["api", "webui"]
    [dns]
    engine = "dnsmasq"
    port = ${port}
    ${dns}`
  const result = compile(spec, { targets: ['dnsmasq'] })
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.diagnostics))
  await start(result.files.find(({ path }) => path === 'dnsmasq/dnsmasq.conf')?.text ?? '')
  return (name) => {
    const said = run('dig', ['@127.0.0.1', '-p', String(port), '+tries=1', '+time=5', name, 'A'])
    const addresses = [...said.matchAll(/^[^;\n]*\sIN\s+A\s+(\S+)$/gm)].map((match) => match[1] ?? '')
    return { status: /status: (\w+)/.exec(said)?.[1], addresses }
  }
}

import { writeFileSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { compile } from '../../compiler/compile.ts'
import { printTable } from '../../syntax/nftables/print.ts'
import { expectedGolden, goldenNames } from '../support/golden.ts'
import { hasProgram, tryRun } from '../support/programs.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const directory = temporaryDirectory()
afterAll(directory.remove)

/** Runs a shell script in a network of its own, as its root. */
const inNetwork = (script: string) => tryRun('unshare', ['-rn', 'sh', '-eu', '-c', script])

const hasTables = hasProgram('nft') && inNetwork('nft add table inet probe').status === 0
const withTables = test.skipIf(!hasTables)
const withNetwork = test.skipIf(!hasTables || !hasProgram('ip') || !hasProgram('nsenter'))
const goldens = goldenNames().flatMap((name) => {
  const files = expectedGolden(name)
  const [rules] = [...files].filter(([path]) => path === 'nftables/firewall.nft').map(([, text]) => text)
  const units = [...files].filter(([path]) => /^nftables\/.*\.service$/.test(path))
  return rules === undefined ? [] : [{ name, rules, units }]
})

test('there are goldens for nftables', () => expect(goldens.length).toBeGreaterThan(2))

withTables.each(goldens)('nft -c (needs nft and nf_tables in the kernel) accepts the golden $name', ({ rules }) => {
  expect(inNetwork(`nft -c -f ${file(rules)}`)).toMatchObject({ status: 0, stderr: '' })
})

test.skipIf(!hasProgram('systemd-analyze')).each(goldens)(
  'systemd-analyze verify (needs systemd) accepts the unit of the golden $name',
  ({ units }) => {
    for (const [path, text] of units) {
      const unit = directory.file(path.slice('nftables/'.length))
      writeFileSync(unit, text)
      expect(tryRun('systemd-analyze', ['verify', '--man=no', unit])).toMatchObject({ status: 0, stderr: '' })
    }
    expect(units).toHaveLength(2) // for what comes in, and for what the daemon may connect to
  },
)

withTables('loading twice is loading once, other tables stay, and removing leaves nothing (needs nf_tables)', () => {
  const rules = file(rulesOf('open_firewall = true'))
  const script = `
    nft add table inet other
    nft add chain inet other mine '{ type filter hook input priority 0; }'
    nft list ruleset > before
    nft -f ${rules}; nft list ruleset > once
    nft -f ${rules}; nft list ruleset > twice
    cmp once twice && ! cmp -s before once
    nft delete table inet gate
    nft list ruleset | cmp before -`
  expect(inNetwork(`cd ${directory.path}; ${script}`)).toMatchObject({ status: 0 })
})

withNetwork(
  'ports are open on the interfaces of the spec, shut on others, and foreign ports are left alone (needs nf_tables, ip, nsenter)',
  () => {
    const rules = file(rulesOf('open_firewall_on_interfaces = ["inside"]'))
    const listen = `for (const port of [3000, 5000]) require('node:net').createServer((s) => s.end('hello')).listen(port, '0.0.0.0')`
    const script = `
    unshare -n sleep 100 >&- 2>&- & client=$!
    trap 'kill $client $server' EXIT
    server=$client
    until [ "$(readlink /proc/$client/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do :; done
    ip link set lo up
    for side in inside outside; do
      ip link add $side type veth peer name c-$side netns $client
      ip link set $side up
      nsenter -t $client -n ip link set c-$side up
    done
    ip addr add 10.1.0.1/24 dev inside; nsenter -t $client -n ip addr add 10.1.0.2/24 dev c-inside
    ip addr add 10.2.0.1/24 dev outside; nsenter -t $client -n ip addr add 10.2.0.2/24 dev c-outside
    "${process.execPath}" -e "${listen}" >&- 2>&- & server=$!
    reach() { timeout "$1" $4 bash -c "exec 3<>/dev/tcp/$2/$3; head -c 5 <&3" 2>/dev/null || echo shut; }
    until [ "$(reach 1 127.0.0.1 5000 '')" = hello ]; do :; done
    nft -f ${rules}
    there="nsenter -t $client -n"
    echo inside $(reach 5 10.1.0.1 3000 "$there") $(reach 5 10.1.0.1 5000 "$there")
    echo outside $(reach 1 10.2.0.1 3000 "$there") $(reach 5 10.2.0.1 5000 "$there")
    echo self $(reach 5 10.2.0.1 3000 '')
    nft delete table inet gate
    echo removed $(reach 5 10.2.0.1 3000 "$there")`
    const { stdout } = inNetwork(script)
    expect(stdout).toBe('inside hello hello\noutside shut hello\nself hello\nremoved hello\n')
  },
)

test('nothing is made when the spec opens nothing', () => expect(rulesOf('')).toBe(''))

test('names that nft could take for something else are refused', () => {
  const table = { origin: [], comment: [], name: 'gate', rules: [] }
  for (const name of ['a"b', 'a*', 'a b', 'a\nb', '$a', '', 'x'.repeat(16)]) {
    const rule = { interface: name, packets: 'all', verdict: 'drop' } as const
    expect(() => printTable({ ...table, rules: [rule] })).toThrow(RangeError)
  }
  expect(() => printTable({ ...table, name: 'a-b' })).toThrow(RangeError)
})

function rulesOf(server: string): string {
  const result = compile(`[gate.server]\nhost = "0.0.0.0"\n${server}`, { targets: ['nftables'] })
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.diagnostics))
  return result.files.find(({ path }) => path === 'nftables/firewall.nft')?.text ?? ''
}

function file(text: string): string {
  writeFileSync(directory.file('firewall.nft'), text)
  return directory.file('firewall.nft')
}

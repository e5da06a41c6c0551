import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Host } from '../deploy.ts'

const MIB = 1024 * 1024
const PORT = 8099
/** Users inside: that of the engine, and root. */
const [ENGINE, ROOT] = ['1000', '0']
const DEVICES = ['/dev/full', '/dev/null', '/dev/pts/ptmx', '/dev/random', '/dev/tty', '/dev/urandom', '/dev/zero']
/** Ends with 0 when an abstract socket of this name listens. */
const CONNECT = `require('net').connect('\\0lab').on('error', () => process.exit(1)).on('connect', () => process.exit(0))`

const HERE = ['127.0.0.1', '198.51.100.1', '[2001:db8:1::1]', '[::1]'].map((address) => `http://${address}:${PORT}/`)
const OUTSIDE = ['198.51.100.2', '[2001:db8:1::2]'].map((address) => `http://${address}:${PORT}/`)

/**
 * A service of the host that listens on all addresses and on an abstract socket, and a machine outside, which the
 * default route leads to.
 */
const NETWORK = `
node() { systemd-run --quiet --unit="$1" --property=Type=exec $3 /usr/lib/gate/node -e \
  "$4 require('http').createServer((_, answer) => answer.end('$2')).listen(${PORT}, '::')"; }
node lab-here host '' "require('net').createServer((peer) => peer.end()).listen('\\0lab');"
node lab-outside outside --property=PrivateNetwork=yes ''
pid=$(systemctl show --property=MainPID --value lab-outside)
ip link add lab0 type veth peer name lab1 netns "$pid"
outside() { nsenter --target="$pid" --net ip "$@"; }
outside link set lab1 up
outside address add 198.51.100.2/24 dev lab1
outside address add 2001:db8:1::2/64 dev lab1 nodad
ip link set lo up
ip link set lab0 up
ip address add 198.51.100.1/24 dev lab0
ip address add 2001:db8:1::1/64 dev lab0 nodad
ip route add default via 198.51.100.2
ip -6 route add default via 2001:db8:1::2
for address; do curl -sS -o /dev/null --retry 60 --retry-delay 1 --retry-connrefused "$address"; done
`

/** Prints what each address answers, and a line of wget for each that does not. */
const ask = (addresses: readonly string[]) =>
  `${addresses.map((address) => `busybox wget -T 3 -q -O - ${address} &`).join(' ')} wait`

/** What code in the container of a backend tries: as the user of its engine, and as root inside. */
export function containerAttacks(host: () => Host): void {
  /** A shell script in the container of a backend. @param user inside */
  const inside = (backend: string, script: string, user = ENGINE) => {
    const command = ['podman', 'exec', '--user', user, `gate-${backend}`, 'sh', '-c', script]
    return host().asUser(`gate-${backend}`).exec(command, { timeoutMs: 120_000 })
  }
  /** How many of these addresses wget could not read in there; nothing may answer. */
  const refusals = async (backend: string, addresses: readonly string[], user = ENGINE) => {
    const { stdout, stderr } = await inside(backend, ask(addresses), user)
    expect(stdout).toBe('')
    return stderr.match(/^wget: /gm)?.length
  }
  const served = (backend: string) => {
    const socket = `/run/gate/backends/${backend}/engine.sock`
    const curl = ['curl', '-sS', '--max-time', '10', '--unix-socket', socket, 'http://x/v1/models']
    return host().exec(curl, { user: 'gate' })
  }

  describe('with services on the host and outside', () => {
    beforeAll(async () => {
      await host().run(['sh', '-euc', NETWORK, 'sh', ...HERE, ...OUTSIDE], { timeoutMs: 90_000 })
      // pasta copies the interfaces that it finds
      await host().asUser('gate-net').run(['systemctl', '--user', 'restart', 'gate-net.service'])
    })
    afterAll(async () => {
      await host().exec(['sh', '-c', 'ip link delete lab0; systemctl stop lab-here lab-outside'])
    })

    test('reaches no network: no address of the host, nothing outside, no abstract socket', async () => {
      for (const user of [ENGINE, ROOT])
        expect(await refusals('own', [...HERE, ...OUTSIDE], user)).toBe(HERE.length + OUTSIDE.length)
      expect(await host().exec(['/usr/lib/gate/node', '-e', CONNECT], { user: 'login' })).toMatchObject({ code: 0 })
      expect(await inside('own', `node -e "${CONNECT}"`, ROOT)).toMatchObject({ code: 1 })
      expect((await inside('own', 'busybox ip -oneline link', ROOT)).stdout).toMatch(/^1: lo: .*\n$/)
      const ping = await inside('own', 'busybox ping -c 1 127.0.0.1', ROOT)
      expect(ping).toMatchObject({ code: 1, stderr: expect.stringContaining('permission denied') })
    })

    test('with network = true reaches the outside, and no service of the host that listens on all addresses', async () => {
      expect((await inside('net', ask(OUTSIDE))).stdout).toBe('outside'.repeat(OUTSIDE.length))
      const names = ['169.254.1.2', '169.254.1.1', 'host.containers.internal', 'host.docker.internal']
      const places = [...HERE, ...names.map((name) => `http://${name}:${PORT}/`)]
      expect(await refusals('net', places)).toBe(places.length)
      expect(await served('net')).toMatchObject({ code: 0 })
    })
  })

  test('sees no socket but its own, no device of the host, no process of the host', async () => {
    for (const user of [ENGINE, ROOT]) {
      const sockets = await inside('own', 'busybox find / -xdev -type s; busybox find /run /tmp /var -type s', user)
      expect(sockets.stdout.replaceAll('/run/engine/engine.sock\n', '')).toBe('')
      const { stdout: devices } = await inside('own', 'busybox find /dev -type b -o -type c | busybox sort', user)
      expect(devices.trim().split('\n')).toEqual(DEVICES)
      const make = await inside('own', 'busybox mknod /tmp/sda b 8 0 || busybox mknod /tmp/kmsg c 1 11', user)
      expect(make).toMatchObject({ code: 1, stderr: expect.stringContaining('Operation not permitted') })
      const { stdout: processes } = await inside('own', 'busybox ps -o args', user)
      expect(processes).toContain('/engine/engine.mjs')
      expect(processes).not.toMatch(/systemd|conmon|gate-daemon/)
    }
  })

  test('writes nothing but its volumes, its temporary directories and the directory of its socket', async () => {
    for (const path of ['/x', '/etc/passwd', '/engine/engine.mjs', '/usr/bin/node', '/proc/sys/kernel/core_pattern'])
      for (const user of [ENGINE, ROOT])
        expect(await inside('own', `echo x >>${path}`, user)).toMatchObject({ code: 1 })
    expect(await inside('own', 'echo x >/tmp/x && echo x >/run/engine/x && rm /run/engine/x')).toMatchObject({
      code: 0,
    })
  })

  test('fills the directory of its socket, and nothing else of the /run of the host', async () => {
    // as systemd makes it on a host of 640 MB
    await host().run(['mount', '-o', 'remount,size=64M,nr_inodes=8000', '/run'])
    const free = async () => {
      const { stdout } = await host().exec(['stat', '--file-system', '--format=%a %S %d', '/run'])
      const [blocks, size, inodes] = stdout.split(' ').map(Number)
      return { bytes: Number(blocks) * Number(size), inodes: Number(inodes) }
    }
    const before = await free()
    const fills = [
      'busybox dd if=/dev/zero of=fill bs=64k count=2048',
      'i=0; while [ $i -lt 10000 ] && true >fill$i; do i=$((i+1)); done',
    ]
    for (const fill of fills) {
      const attack = `cd /run/engine; ${fill}`
      expect(await inside('own', attack)).toMatchObject({ stderr: expect.stringContaining('No space left on device') })
      expect(await inside('own', attack, ROOT)).toMatchObject({ stderr: expect.stringContaining('Permission denied') })
      const after = await free()
      expect(before.bytes - after.bytes).toBeLessThan(4 * MIB)
      expect(before.inodes - after.inodes).toBeLessThan(200)
      await host().run(['systemctl', 'daemon-reload'])
      expect(await served('own')).toMatchObject({ code: 0 })
    }
    await inside('own', 'busybox rm /run/engine/fill*')
    await host().asUser('gate-own').run(['systemctl', '--user', 'restart', 'gate-own.service'])
    expect(await served('own')).toMatchObject({ code: 0 })
  })
}

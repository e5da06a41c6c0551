import { writeFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import type { Host } from '../deploy.ts'
import { NODE } from '../gate.ts'
import { differences, inDaemon } from './in-daemon.ts'

/** How a service starts, ends and is called; what it may do is none of these. */
const START = new RegExp(
  `^(${[
    'Type|Restart|RestartSteps|Restart.*USec|NotifyAccess|Watchdog.*|Timeout.*|ExecStart|ExecStartEx|ExecReload.*|CanReload',
    'StandardOutput|StandardError|.*Result|StatusText|StatusErrno|MainPID|ControlPID|ExecMain.*|UID|GID|NRestarts',
    '.*Timestamp.*|.*State|.*StatePreset|ControlGroup|ControlGroupId|InvocationID|Job|StartLimit.*|FileDescriptor.*',
    'Id|Names|Description|Documentation|FragmentPath|DropInPaths|Requires|RequiresMountsFor|Wants|WantedBy|PartOf|Triggers|TriggeredBy|Before|After',
    '.*Current|Memory(Available|Peak|Swap.*)|Effective.*|CPUUsageNSec|Tasks.*|IP.*(Bytes|Packets)|IO.*(Bytes|Operations)',
  ].join('|')})$`,
)

const WAIT = { timeout: 20_000 }

/** What code in the daemon tries: everything that the account `gate` can do in the sandbox of the daemon. */
export function gateAttacks(host: () => Host): void {
  const attack = (script: string) => inDaemon(host(), ['sh', '-c', script])
  /** Those of the commands that succeed. */
  const succeeding = async (commands: readonly string[]) => {
    const tries = commands.map((command, i) => `(${command}) </dev/null >/dev/null && echo ${i}`)
    const { stdout } = await attack(`${tries.join('\n')}\ntrue`)
    return stdout.split('\n').flatMap((i) => (i === '' ? [] : [commands[Number(i)]]))
  }
  const asBackend = () => host().asUser('gate-own')
  const runtime = async () => `/run/user/${(await host().run(['id', '-u', 'gate-own'])).trim()}`

  test('is tried with the account, the filters and the limits of the daemon', async () => {
    await host().run(['systemctl', 'start', 'gate-daemon.service'])
    expect((await differences(host())).filter((name) => !START.test(name))).toEqual([])
    expect(await attack('id -un; grep -E "^(CapBnd|NoNewPrivs|Seccomp):" /proc/self/status')).toMatchObject({
      stdout: 'gate\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n',
    })
  })

  test('leads nobody elsewhere who pastes what gatectl doctor prints', async () => {
    const [link, twin, open] = ['link', 'twin', 'open$(touch pwned)'].map((name) => `gate.db-usage-${name}`)
    const plant = `cd /var/lib/gate
      ln -s /etc/shadow ${link}
      : >'${open}' && chmod 644 '${open}'
      : >own && ln own ${twin}`
    expect(await attack(plant)).toMatchObject({ code: 0, stderr: '' })
    const state = () => host().run(['stat', '--format=%U:%G %a', '/etc/shadow'])
    const before = await state()
    const { stdout } = await host().exec(['gatectl', 'doctor', '--json'], { timeoutMs: 60_000 })
    const fixes = JSON.parse(stdout).findings.flatMap(
      ({ check, fix }: { check: string; fix?: { command?: string } }) =>
        check === 'permissions' && fix?.command !== undefined ? [fix.command] : [],
    )
    expect(fixes).toHaveLength(2)
    for (const fix of fixes) await host().run(['sh', '-c', `cd /run && ${fix}`])
    expect(await state()).toBe(before)
    expect(await host().exec(['test', '-e', '/run/pwned'])).toMatchObject({ code: 1 })
    await host().run(['sh', '-c', 'rm -f /var/lib/gate/gate.db-usage-* /var/lib/gate/own'])
  })

  test('runs no container', async () => {
    expect(await asBackend().run(['podman', 'ps', '--format={{.Names}}'])).toContain('gate-own')
    const podman = 'podman --root /var/lib/gate/c --runroot /var/lib/gate/r --tmpdir /var/lib/gate/t'
    const commands = [`HOME=/var/lib/gate ${podman} run --rm --rootfs / true`, 'unshare --user --map-root-user true']
    expect(await succeeding(commands)).toEqual([])
  })

  test('reaches no container socket', async () => {
    const sockets = { root: '/run/podman/podman.sock', 'gate-own': `${await runtime()}/podman/podman.sock` }
    await host().run(['systemctl', 'start', 'podman.socket'])
    await asBackend().run(['systemctl', '--user', 'start', 'podman.socket'])
    for (const [user, socket] of Object.entries(sockets)) {
      const ping = ['curl', '-sS', '--max-time', '10', '--unix-socket', socket, 'http://d/_ping']
      expect(await host().run(ping, { user }), socket).toBe('OK')
      expect(await inDaemon(host(), ping), socket).toMatchObject({ code: 7, stdout: '' })
    }
    await host().run(['systemctl', 'stop', 'podman.socket', 'podman.service'])
    await asBackend().run(['systemctl', '--user', 'stop', 'podman.socket', 'podman.service'])
  })

  test('becomes neither root nor the account of a backend', async () => {
    const setuid = '/opt/setuid-id'
    await host().run(['install', '--mode=4755', '/usr/bin/id', setuid])
    expect(await host().run([setuid, '-u'], { user: 'login' })).toBe('0\n')
    const commands = [
      `[ "$(${setuid} -u)" = 0 ]`,
      'sudo -n true',
      'su -s /bin/sh gate-own -c true',
      'run0 true',
      'systemd-run --wait --uid=0 true',
      'systemd-run --wait --user -M gate-own@.host true',
      'machinectl shell gate-own@.host /bin/true',
      'systemctl start podman.socket',
      'systemctl kill gate-agent',
      `XDG_RUNTIME_DIR=${await runtime()} systemctl --user start podman.socket`,
      `DBUS_SESSION_BUS_ADDRESS=unix:path=${await runtime()}/bus busctl --user list`,
    ]
    expect(await succeeding(commands)).toEqual([])
    await host().run(['rm', setuid])
  })

  test('sees, traces and signals no process of another account', async () => {
    const [pid = ''] = (await host().run(['pgrep', '--uid', 'gate-own'])).split('\n')
    expect(await host().run(['cat', `/proc/${pid}/cmdline`], { user: 'gate-own' })).not.toBe('')
    const [ptrace, PTRACE_ATTACH] = [process.arch === 'arm64' ? 117 : 101, 16]
    const trace = `perl -e 'exit(syscall(${ptrace}, ${PTRACE_ATTACH}, ${pid}, 0, 0) == 0 ? 0 : 1)'`
    const commands = [`cat /proc/${pid}/environ`, `kill -0 ${pid}`, `test -e /proc/${pid}`, trace]
    expect(await succeeding(commands)).toEqual([])
  })

  test("reads no other user's files", async () => {
    writeFileSync(host().path('/home/login/open.txt'), 'of a login', { mode: 0o644 })
    await host().run(['chmod', '755', '/home/login'])
    await host().run(['install', '-m', '640', '-g', 'gate-own', '/dev/null', '/run/gate/secrets/probe'])
    const reads = [
      ['login', 'cat /home/login/open.txt'],
      ['root', 'cat /root/.bashrc'],
      ['root', 'cat /etc/shadow'],
      ['gate-own', 'cat /run/gate/secrets/probe'],
      ['gate-own', `cat ${await runtime()}/gate-own.cid`],
      ['gate-own', 'ls /var/lib/gate-backends/own/.local/share/containers'],
    ] as const
    for (const [user, command] of reads) await host().run(['sh', '-c', command], { user })
    expect(await succeeding(reads.map(([, command]) => command))).toEqual([])
    await host().run(['rm', '/run/gate/secrets/probe', '/home/login/open.txt'])
  })

  test('finds no socket but those of backends: no bus, no Varlink, no other program', async () => {
    const find = 'find /run -type s -not -path "/run/systemd/resolve/*"'
    await host().run(['test', '-S', '/run/dbus/system_bus_socket'])
    const found = (await attack(find)).stdout.trim().split('\n')
    expect(found).toContain('/run/gate/backends/own/agent.sock')
    expect(found.filter((path) => !path.startsWith('/run/gate/backends/'))).toEqual([])
    const late = '/run/gate/backends/late'
    await host().run(['sh', '-c', `mkdir ${late} && mount -t tmpfs late ${late} && touch ${late}/engine.sock`])
    const daemon = await host().run(['systemctl', 'show', '--value', '--property=MainPID', 'gate-daemon'])
    // a backend that is deployed while the daemon runs
    expect(await host().run(['nsenter', `--target=${daemon.trim()}`, '--mount', 'ls', late])).toBe('engine.sock\n')
    await host().run(['sh', '-c', `umount ${late} && rmdir ${late}`])
  })

  test('gets no user manager, which would run its code outside of the sandbox', async () => {
    const uid = (await host().run(['id', '-u', 'gate'])).trim()
    const login1 = 'org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager'
    const linger = (on: boolean) => `busctl call ${login1} SetUserLinger ubb ${uid} ${on} false`
    await host().run(['sh', '-c', linger(false)], { user: 'gate' }) // any account may, for itself
    expect(await succeeding([linger(true), 'loginctl enable-linger'])).toEqual([])
    expect(await host().exec(['test', '-e', '/var/lib/systemd/linger/gate'])).toMatchObject({ code: 1 })
  })

  test('connects to the upstream of the spec, and to nothing else of this host, the network and the Internet', async () => {
    const address = (verb: 'add' | 'delete') =>
      host().run(['sh', '-c', `for a in 192.168.77.1 203.0.113.9; do ip address ${verb} $a/32 dev lo; done`])
    await address('add')
    const addresses = ['127.0.0.1', '[::1]', '192.168.77.1', '203.0.113.9']
    const places = addresses.flatMap((address) => [8100, 8101].map((port) => `${address}:${port}`))
    const listen = `const { createServer } = require('node:http')
      for (const port of [8100, 8101]) createServer((_, response) => response.end('reached')).listen(port, '::')`
    await host().run(['systemd-run', '--quiet', '--unit=attacked', NODE, '-e', listen])
    const curl = (place: string) => `curl -gsS --max-time 3 http://${place}/`
    const all = places.map(curl).join(' && ')
    await vi.waitUntil(async () => (await host().exec(['sh', '-c', all], { user: 'login' })).code === 0, WAIT)
    expect(await succeeding(places.map(curl))).toEqual([curl('192.168.77.1:8100')])
    expect(await succeeding(['curl -gsS --max-time 3 http://127.0.0.1:3000/health'])).toEqual([])

    // each of the two walls on its own
    await host().run(['systemctl', 'stop', 'gate-egress.service'])
    const known = curl('192.168.77.1:8101') // the unit knows no ports
    expect(await succeeding([known, curl('127.0.0.1:8101'), curl('203.0.113.9:8101')])).toEqual([known])
    // and the daemon does not run without the table: the next client starts both
    const walled = () => host().exec(['systemctl', 'is-active', 'gate-daemon.service', 'gate-egress.service'])
    expect((await walled()).stdout).toBe('inactive\ninactive\n')
    expect(await host().run(['curl', '-sS', '--max-time', '30', 'http://127.0.0.1:3000/health'])).toContain('ok')
    expect((await walled()).stdout).toBe('active\nactive\n')
    expect(await host().exec(['sh', '-c', curl('192.168.77.1:8101')], { user: 'gate' })).toMatchObject({ code: 7 })

    // and clients come in
    const proxied = ['--unix-socket', '/run/gate/proxy.sock', 'http://x/health']
    for (const to of [['http://127.0.0.1:3000/health'], proxied]) {
      expect(await host().run(['curl', '-sS', '--max-time', '5', ...to])).toContain('ok')
    }
    await host().run(['systemctl', 'stop', 'attacked.service'])
    await address('delete')
  })

  test('leads no container to another file in place of its model', async () => {
    expect(await succeeding(replacedBy(await runtime()))).toEqual([])
    expect(await modelAfterRestart(host())).toBe('a model')
    // and is a daemon all the same, which replaces its own files in that directory
    await host().run(['gatectl', 'config', 'set', 'log.level', 'debug'])
    await host().run(['gatectl', 'config', 'unset', 'log.level'])
  })

  test('keeps no hold on the models of a host that the version before deployed', async () => {
    const models = '/var/lib/gate/models'
    const state = () => host().run(['find', '/var/lib/gate', models, '-maxdepth', '0', '-printf', '%u:%g %m\n'])
    const before = await state()
    const own = await runtime()
    const asBefore = `chown gate: /var/lib/gate && chmod 711 /var/lib/gate
      chown gate:gate-models ${models} && chmod 2750 ${models}`
    await host().run(['sh', '-c', asBefore])
    const plant = `cd ${models} && mkdir sub && echo b >sub/b && ln -s ${own} sub/link`
    expect(await attack(plant)).toMatchObject({ code: 0 })
    await host().run(['sh', '-c', `printf 'a %s - - - - u:gate:rwx\\n' ${models} | systemd-tmpfiles --create -`])
    expect(await attack(`cd /var/lib/gate && mv models was && ln -s ${own} models`)).toMatchObject({ code: 0 })
    const apply = () => host().exec(['gatectl', 'apply', '--yes'], { timeoutMs: 120_000 })
    expect(await apply()).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/UNSAFE_MODELS: .*models is a link to/),
    })
    expect(await attack('cd /var/lib/gate && rm models && mv was models')).toMatchObject({ code: 0 })
    const { stdout: plan } = await host().exec(['gatectl', 'plan', '--verbose'])
    expect(plan).toContain(`owner ${models}/sub/b  (gate:`)
    expect(await apply()).toMatchObject({ code: 0 })
    expect(await state()).toBe(before)
    expect(await host().run(['find', models, '-user', 'gate'])).toBe('')
    expect(await succeeding([...replacedBy(own), `ls ${models}`, `echo c >${models}/sub/b`])).toEqual([])
    expect(await modelAfterRestart(host())).toBe('a model')
    await host().run(['rm', '-r', `${models}/sub`])
  })
}

/**
 * A link in place of the model: in the directory of the models, around it, above it.
 * @param runtime of the account of the backend; what is in it makes its manager run anything
 */
const replacedBy = (runtime: string) => [
  `cd /var/lib/gate/models && mv -f own.gguf .was && ln -s ${runtime} own.gguf`,
  `cd /var/lib/gate && mv models was && mkdir models && ln -s ${runtime} models/own.gguf`,
  `cd /var/lib/gate && mv -T models .was && ln -s ${runtime} models`,
  `cd /var/lib/gate && rm -rf models && ln -s ${runtime} models`,
  `mv /var/lib/gate /var/lib/was && ln -s ${runtime} /var/lib/gate`,
]

/** As the container sees it. */
async function modelAfterRestart(host: Host): Promise<string> {
  const backend = host.asUser('gate-own')
  await backend.run(['systemctl', '--user', 'restart', 'gate-own.service'], { timeoutMs: 60_000 })
  const pid = (await backend.run(['podman', 'inspect', '--format={{.State.Pid}}', 'gate-own'])).trim()
  return await host.run(['cat', `/proc/${pid}/root/models/own.gguf`])
}

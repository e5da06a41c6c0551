import { mkdirSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { bootHost, type Host } from './deploy.ts'
import { engineBackend } from './engine/image.ts'
import { describeInLab } from './suite.ts'

type Line = {
  readonly check: string
  readonly status: string
  readonly what: string
  readonly why?: string
  readonly fix?:
    | { readonly kind: 'command'; readonly command: string }
    | { readonly kind: 'edit'; readonly where: string }
}

type Breakage = {
  readonly name: string
  /** For a shell inside. */
  readonly breaks: string
  readonly check: string
  readonly says: RegExp
  /** Succeeds once it is broken. */
  readonly until?: string
  /** Checks that must complain, too: what they look at is broken with it. */
  readonly also?: readonly string[]
  /** When the fix is no command, or needs this before it. */
  readonly mends?: string
  /** The fix cannot be run here (no network to install from); `mends` does it. */
  readonly isFixUntried?: true
  /** Spec to look at, beside that of the host. */
  readonly spec?: 'nvidia' | 'vulkan'
}

const CERTIFICATE = '/etc/gate/tls/cert.pem'
const KEY = '/etc/gate/tls/key.pem'
const certify = (days: string) =>
  `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=gate.lab -addext subjectAltName=DNS:gate.lab ${days} -keyout ${KEY} -out ${CERTIFICATE} 2>/dev/null && chgrp gate ${KEY} && chmod 640 ${KEY}`
const FRESH = certify('-days 90')

const BREAKAGES: readonly Breakage[] = [
  {
    name: 'subordinate ids are gone',
    breaks: "sed -i '/^gate-talk:/d' /etc/subuid /etc/subgid",
    check: 'subids',
    says: /^gate-talk has no subordinate user and group ids$/,
  },
  {
    name: 'a user does not linger',
    breaks: 'rm /var/lib/systemd/linger/gate-talk',
    check: 'user-managers',
    says: /^gate-talk does not linger$/,
  },
  {
    name: 'a user manager is stopped',
    breaks: 'systemctl stop user@$(id -u gate-talk).service',
    check: 'user-managers',
    says: /^the manager of gate-talk is inactive$/,
    also: ['agents'],
  },
  {
    name: 'an agent does not listen',
    breaks: 'systemctl --user -M gate-talk@.host stop gate-agent.socket',
    check: 'agents',
    says: /^the agent of gate-talk does not (?:listen|answer)$/,
  },
  {
    name: 'a port is taken',
    breaks: 'systemctl start squatter.service',
    check: 'ports',
    says: /^tcp port 41147 is taken on ::$/,
    until: 'grep -q :A0BB /proc/net/tcp6',
  },
  {
    name: 'a certificate has expired',
    breaks: certify('-not_before 20200101000000Z -not_after 20210101000000Z'),
    check: 'certificates',
    says: /cert\.pem expired \d+ days ago$/,
    until: "gatectl tls status | grep -q ' refused-files '", // the one before, which is valid, is served on
    also: ['tls'],
    mends: `${FRESH} && gatectl tls renew gate.lab`, // it has read them before the key is replaced
  },
  {
    name: 'a certificate is of another key',
    breaks: `openssl ecparam -name prime256v1 -genkey -noout -out ${KEY}`,
    check: 'certificates',
    says: /key\.pem is not the key of/,
    until: "! gatectl tls renew gate.lab; gatectl tls status | grep -q ' refused-files '",
    also: ['tls'],
    mends: FRESH,
  },
  {
    name: 'the daemon may not read its key',
    breaks: `chown root:root ${KEY} && chmod 600 ${KEY} && systemctl restart gate-daemon.service`,
    check: 'tls',
    says: /there is no certificate: .*account "gate".*EACCES/,
    until: "gatectl tls status | grep -q ' absent '",
    also: ['https'],
    mends: `chgrp gate ${KEY} && chmod 640 ${KEY}`,
  },
  { name: 'a key is open', breaks: `chmod 644 ${KEY}`, check: 'certificates', says: /^every user may read the key/ },
  {
    name: 'a disk is full',
    breaks:
      'mount -t tmpfs -o size=400m full /var/tmp && fallocate -l 300m /var/tmp/container_images_1 && touch -d "3 days ago" /var/tmp/container_images_1',
    check: 'disk',
    says: /^100 MiB of 400 MiB are free in \/var\/tmp$/,
  },
  {
    name: 'a unit has failed',
    breaks: 'rm -f /run/mended; ! systemctl start gate-broken.service',
    check: 'units',
    says: /^gate-broken\.service has failed$/,
    mends: 'touch /run/mended',
  },
  {
    name: 'a unit of a user has failed',
    breaks: 'rm -f /run/mended; ! systemctl --user -M gate-talk@.host start gate-broken.service',
    check: 'units',
    says: /^gate-broken\.service of gate-talk has failed$/,
    mends: 'touch /run/mended',
  },
  {
    name: 'newuidmap has lost its privilege',
    breaks: 'chmod u-s /usr/bin/newuidmap',
    check: 'newuidmap',
    says: /^\/usr\/bin\/newuidmap has no privilege$/,
  },
  {
    name: 'a CDI file is not readable',
    breaks: 'chmod 600 /etc/cdi/nvidia.yaml',
    check: 'cdi',
    says: /^\/etc\/cdi\/nvidia\.yaml is not readable by every user$/,
    spec: 'nvidia',
  },
  {
    name: 'a CDI file lies elsewhere',
    breaks: 'mkdir -p /usr/share/cdi && mv /etc/cdi/nvidia.yaml /usr/share/cdi/',
    check: 'cdi',
    says: /^\/usr\/share\/cdi\/nvidia\.yaml is where podman does not search$/,
    spec: 'nvidia',
  },
  {
    name: 'a device has another group',
    breaks: 'chgrp kvm /dev/dri/renderD128',
    check: 'gpu',
    says: /^gate-talk is not in the group kvm$/,
    spec: 'vulkan',
  },
  {
    name: 'a manager does not know its groups',
    breaks: 'groupadd -f late && chgrp late /dev/dri/renderD128 && usermod -aG late gate-talk',
    check: 'gpu',
    says: /^the manager of gate-talk does not know its groups$/,
    spec: 'vulkan',
  },
  {
    name: 'config.toml is open',
    breaks:
      'touch /var/lib/gate/config.toml && chown gate: /var/lib/gate/config.toml && chmod 644 /var/lib/gate/config.toml',
    check: 'permissions',
    says: /^\/var\/lib\/gate\/config\.toml is open to every user \(mode 644\)$/,
  },
  {
    name: 'the environment file is open',
    breaks: 'chmod 640 /etc/gate/gate.env',
    check: 'permissions',
    says: /^\/etc\/gate\/gate\.env is open to its group/,
  },
  {
    name: "a backend's directory is another's",
    breaks: 'chown nobody: /run/gate/backends/talk',
    check: 'permissions',
    says: /^\/run\/gate\/backends\/talk belongs to nobody:nogroup instead of gate-talk:gate$/,
    mends: 'chmod 2750 /run/gate/backends/talk',
  },
  {
    name: '/dev/null is closed',
    breaks: 'chmod 600 /dev/null',
    check: 'dev-null',
    says: /^\/dev\/null has mode 600$/,
    also: ['agents'],
  },
  {
    name: 'a file of the generation is gone',
    breaks: 'rm /etc/sysusers.d/gate.conf',
    check: 'generation',
    says: /^\/etc\/sysusers\.d\/gate\.conf is gone$/,
  },
  {
    name: 'a link of units is gone',
    breaks: 'rm /var/lib/gate-backends/talk/.config/systemd/user',
    check: 'generation',
    also: ['agents', 'units'],
    says: /^\/var\/lib\/gate-backends\/talk\/\.config\/systemd\/user does not point to the current generation$/,
  },
  {
    name: '/dev/null is a file',
    breaks: 'rm /dev/null && echo x >/dev/null',
    check: 'dev-null',
    says: /^\/dev\/null is not the device$/,
  },
  {
    name: 'nothing reaches network-online.target',
    breaks: 'systemctl stop network-online.target',
    check: 'network-online',
    says: /^network-online\.target is inactive$/,
  },
  {
    name: 'the daemon is stopped',
    breaks: 'systemctl stop gate-daemon.socket gate-daemon-admin.socket gate-daemon.service',
    check: 'daemon',
    says: /^the daemon does not answer$/,
  },
  {
    name: 'a program is missing',
    breaks: 'mv /usr/bin/pasta /usr/bin/pasta.away',
    check: 'programs',
    says: /^no pasta$/,
    isFixUntried: true,
    mends: 'mv /usr/bin/pasta.away /usr/bin/pasta',
  },
  {
    name: 'podman is missing',
    breaks: 'mv /usr/bin/podman /usr/bin/podman.away',
    check: 'podman',
    says: /^no podman$/,
    isFixUntried: true,
    mends: 'mv /usr/bin/podman.away /usr/bin/podman',
  },
  {
    name: 'the name server is silent',
    breaks: 'echo nameserver 127.0.0.9 >/etc/resolv.conf',
    check: 'dns',
    says: /^no answer from the name server 127\.0\.0\.9$/,
    mends: ': >/etc/resolv.conf',
  },
  {
    name: 'the name of the host does not resolve',
    breaks: "sed -i '/gate.lab/d' /etc/hosts",
    check: 'dns',
    says: /^gate\.lab does not resolve$/,
    mends: 'echo 127.0.0.1 gate.lab >>/etc/hosts',
  },
  {
    name: 'the daemon may open shells',
    breaks: 'gpasswd -a gate gate-admin',
    check: 'users',
    says: /^gate is a member of the group gate-admin$/,
  },
]

describeInLab('gatectl doctor on a host where things break', () => {
  let host: Host
  let healthy: readonly Line[]
  beforeAll(async () => {
    host = await bootHost('doctor')
    await prepare(host)
    healthy = await failing()
  }, 120_000)
  afterAll(() => host?.down())

  const shell = (text: string) => host.run(['sh', '-euc', text])
  const settled = (check: string) =>
    vi.waitUntil(async () => (await host.exec(['sh', '-euc', check])).code === 0, { timeout: 30_000, interval: 100 })
  const page = async (spec: Breakage['spec'] | 'gate' = 'gate'): Promise<readonly Line[]> => {
    const { stdout, stderr } = await host.exec(['gatectl', 'doctor', `/etc/gate/${spec}.toml`, '--json'])
    expect(stderr).toBe('')
    return JSON.parse(stdout).findings
  }
  const failing = async (spec?: Breakage['spec']) => (await page(spec)).filter(({ status }) => status === 'fail')

  test('the deployed host has nothing wrong but what a lab lacks', () => {
    expect(healthy.map(({ check }) => check)).toEqual(['cgroups'])
  })

  // The page that shows one broken thing also shows that the thing before is whole again: half as many pages.
  test.each(BREAKAGES.map((row, index) => ({ ...row, before: BREAKAGES[index - 1], after: BREAKAGES[index + 1] })))(
    '$name: that line fails, its fix mends it',
    async ({ breaks, until = 'true', check, says, also = [], mends, isFixUntried, spec, before, after }) => {
      await shell(breaks)
      await settled(until)
      const news = (await failing(spec)).filter((line) => line.check !== 'cgroups')
      const line = news.find((one) => one.check === check)
      expect(
        news.filter(({ what }) => before?.says.test(what)),
        `"${before?.name}" is not mended`,
      ).toEqual([])
      expect(line?.what).toMatch(says)
      expect(new Set(news.map((one) => one.check))).toEqual(new Set([check, ...also]))
      expect(line?.why).toBeTruthy()
      if (mends !== undefined) await shell(mends)
      if (line?.fix?.kind === 'command' && isFixUntried === undefined) await shell(line.fix.command)
      else expect(mends).toBeDefined()
      if (after === undefined || after.spec !== spec)
        expect((await failing(spec)).map((one) => `${one.check}: ${one.what}`)).toEqual(
          healthy.map((one) => `${one.check}: ${one.what}`),
        )
    },
  )

  test('the line of a taken port names who took it', async () => {
    await shell('systemctl start squatter.service')
    await settled('grep -q :A0BB /proc/net/tcp6')
    const line = (await failing()).find(({ check }) => check === 'ports')
    expect(line?.why).toMatch(
      /^busybox \(process \d+, user nobody, squatter\.service\) listens there; gate\.server\.p2p_port wants it$/,
    )
    await shell('systemctl stop squatter.service')
  })

  test('a failed unit shows its last log lines, without secrets', async () => {
    await shell('rm -f /run/mended; ! systemctl start gate-broken.service')
    const line = (await failing()).find(({ check }) => check === 'units')
    expect(line?.why).toContain('I cannot find /run/mended')
    expect(line?.why).not.toContain('canary')
    await shell('systemctl reset-failed gate-broken.service')
  })

  test('a podman that hangs and a D-Bus that is stuck cost a line each, not the page', async () => {
    await shell(
      'mv /usr/bin/podman /usr/bin/podman.away; printf "#!/bin/sh\\nexec sleep 6000\\n" >/usr/bin/podman; chmod 755 /usr/bin/podman; systemctl kill --signal=STOP dbus.service',
    )
    const lines = await page()
    await shell('systemctl kill --signal=CONT dbus.service; mv /usr/bin/podman.away /usr/bin/podman')
    expect(lines.find(({ check }) => check === 'podman')).toMatchObject({
      status: 'warn',
      what: 'no answer within 8 s',
    })
    expect(lines.find(({ check }) => check === 'subids')).toMatchObject({ status: 'ok' })
  })

  test('an ordinary user is told what only root sees, and nothing that is not so', async () => {
    const { code, stdout, stderr } = await host.exec(['gatectl', 'doctor'], { user: 'nobody' })
    expect(stderr).toBe('')
    expect(stdout).toContain('root sees more: sudo gatectl doctor')
    expect(stdout).toMatch(/^skip {2}units /m)
    expect(
      stdout
        .split('\n')
        .filter((line) => line.startsWith('fail'))
        .map((line) => line.split(/\s+/)[1]),
    ).toEqual(['cgroups'])
    expect(code).toBe(3)
  })

  test('no canary that was planted on the host is in a bundle', async () => {
    await plantCanaries(host)
    await shell('rm -f /root/b.tar.gz; gatectl doctor --bundle /root/b.tar.gz >/dev/null || [ $? = 3 ]')
    expect(await shell('stat -c %a:%U /root/b.tar.gz')).toBe('600:root\n')
    const names = await shell('tar -tzf /root/b.tar.gz')
    for (const name of [
      'doctor.txt',
      'doctor.json',
      'versions.txt',
      'spec.json',
      'declared.json',
      'runtime.json',
      'logs/gate-talk.txt',
      'units/etc/systemd/system/gate-broken.service',
    ])
      expect(names).toContain(`gate-doctor/${name}\n`)
    const all = await shell('tar -xzOf /root/b.tar.gz')
    expect(all).toContain('a line of the backend')
    expect(all.match(/.*canary.*/gi)).toBeNull()
  })
})

/** Gate and one backend, a certificate, GPUs that are but files, and units that break when they are told to. */
async function prepare(host: Host): Promise<void> {
  const backend = (gpu?: object) => ({
    gate: { domain: 'gate.lab', tls: { files: { cert: CERTIFICATE, key: KEY } } },
    backends: {
      talk: {
        ...engineBackend(host.images),
        idle_stop: '1m',
        ...(gpu && { gpu }),
      },
    },
  })
  const write = (path: string, text: string, mode = 0o644) => {
    mkdirSync(host.path(path.slice(0, path.lastIndexOf('/'))), { recursive: true })
    writeFileSync(host.path(path), text, { mode })
  }
  for (const [name, gpu] of [
    ['gate', undefined],
    ['nvidia', { kind: 'nvidia' }],
    ['vulkan', { kind: 'vulkan' }],
  ] as const)
    write(`/etc/gate/${name}.toml`, JSON.stringify(backend(gpu)))
  write('/etc/gate/gate.env', 'GATE_DISCOVERY__ENABLED=false\n', 0o600)
  write('/etc/cdi/nvidia.yaml', 'cdiVersion: 0.5.0\nkind: nvidia.com/gpu\ndevices:\n- name: all\n')
  write(
    '/etc/systemd/system/squatter.service',
    '[Service]\nUser=nobody\nExecStart=busybox nc -l -p 41147\n[Install]\nWantedBy=multi-user.target\n',
  )
  const broken =
    "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'test -e /run/mended || { echo I cannot find /run/mended, password=lab-canary-1; exit 3; }'\n"
  write('/etc/systemd/system/gate-broken.service', broken)
  write('/etc/systemd/user/gate-broken.service', broken)
  await host.run(
    [
      'sh',
      '-euc',
      `mkdir -p /etc/gate/tls; ${FRESH}; gatectl apply; : >/etc/resolv.conf; echo 127.0.0.1 gate.lab >>/etc/hosts
    mkdir -p /dev/dri; mknod /dev/dri/renderD128 c 226 128; mknod /dev/nvidiactl c 195 255; mknod /dev/nvidia-uvm c 195 254; mknod /dev/nvidia0 c 195 0
    groupadd -fr render; groupadd -fr kvm; chgrp render /dev/dri/renderD128; chmod 660 /dev/dri/renderD128; chmod 666 /dev/nvidia*
    usermod -aG render,video,gate-models gate-talk; systemctl restart user@$(id -u gate-talk).service
    systemctl daemon-reload; systemctl --user -M gate-talk@.host daemon-reload
    systemctl start gate-daemon.service`,
    ],
    { timeoutMs: 100_000 },
  )
}

/** A different one in every place of this host where a secret may be, and some where none should be. */
async function plantCanaries(host: Host): Promise<void> {
  await host.run([
    'sh',
    '-euc',
    `
    echo GATE_AUTH__TOKEN=lab-Canary-2-token >>/etc/gate/gate.env
    mkdir -p /etc/credstore /var/lib/gate-deploy/secrets /run/gate/secrets/talk
    printf lab-Canary-3-credential >/etc/credstore/openai
    printf lab-Canary-4-generated >/var/lib/gate-deploy/secrets/auth.token
    printf 'HF_TOKEN=lab-Canary-5-environment\\n' >/run/gate/secrets/talk/environment
    printf '[upstreams.openai]\\napi_key = "lab-Canary-6-runtime"\\n[auth]\\ntokn = "lab-Canary-7-misspelled"\\n' >/var/lib/gate/config.toml
    printf '{"upstreams":{"x":{"provider":"openai","api_key":"lab-Canary-8-declared"}}}' >/etc/gate/declared.json
    printf '[Service]\\nType=oneshot\\nEnvironment="X=lab-Canary-9-unit" Y=lab-Canary-10-unit\\nExecStart=/bin/true\\n' >/etc/systemd/system/gate-broken.service
    for secret in 2-token 3-credential 4-generated 5-environment 6-runtime; do logger -t gate "seen lab-Canary-$secret in the clear"; done
  `,
  ])
  const said = ['2-token', '3-credential', '4-generated', '5-environment', '6-runtime']
    .map((secret) => `lab-Canary-${secret}`)
    .join(' ')
  await host
    .asUser('gate-talk')
    .run([
      'sh',
      '-c',
      `systemd-cat -t talk echo a line of the backend; systemd-cat -t talk echo "${said} password: lab-Canary-11-log Bearer lab-Canary-12-log"`,
    ])
}

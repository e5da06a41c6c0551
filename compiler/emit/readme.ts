import type { Target } from '../../schemas/words/targets.ts'
import type { OutputFile } from './output.ts'

type Guide = {
  /** What the files are, in a sentence or two. */
  readonly what: string
  /** Commands that check them where they are, run in the directory of this README. */
  readonly check: readonly string[]
  /** Commands on the host, as root, once the files are in their places; `{prefix}` is filled in. */
  readonly use: readonly string[]
}

const GUIDES: Readonly<Record<Target, Guide>> = {
  caddy: {
    what: 'The Caddyfile of this host: the gateway and the apps behind it, each under its own name.',
    check: ['caddy validate --adapter caddyfile --config Caddyfile'],
    use: ['systemctl daemon-reload', 'systemctl restart caddy    # the next time, reload is enough'],
  },
  client: {
    what: 'An installer for the machines of users: trust in the CA of the gateway, and its name server for its names.',
    check: ['sha256sum --check install-client.sh.sha256', 'sh -n install-client.sh'],
    use: ['curl -fsS http://ADDRESS:8081/install-client.sh | sh -s ADDRESS    # on a client; the port is client.port'],
  },
  compose: {
    what: 'The gateway and its backends for Compose, for hosts without systemd.',
    check: ['podman compose config --quiet'],
    use: ['podman compose up --detach'],
  },
  declared: {
    what: "The declared layer of the daemon's configuration. It holds no secrets, and every user may read it.",
    check: ['gatectl config validate declared.json'],
    use: ['systemctl reload {prefix}-daemon', 'gatectl config explain server.port'],
  },
  dnsmasq: {
    what: 'A separate name server for the names of the domain, beside any other on this host.',
    check: ['dnsmasq --test --conf-file=dnsmasq.conf'],
    use: ['systemctl daemon-reload', 'systemctl enable --now {prefix}-dns.service'],
  },
  fly: { what: 'The gateway on Fly.io.', check: ['fly config validate'], use: ['fly deploy'] },
  launchd: {
    what: 'The gateway as a service of macOS.',
    check: ['plutil -lint *.plist'],
    use: ['launchctl bootstrap system /Library/LaunchDaemons/*.plist'],
  },
  nftables: {
    what: 'Separate tables: ports of the gateway are open where the spec says so, and the daemon connects to what the spec names. Other rules of this host stay.',
    check: ['for f in *.nft; do nft --check --file $f; done    # looks up the account, so after systemd-sysusers'],
    use: [
      'systemctl daemon-reload',
      'systemctl enable --now {prefix}-egress.service    # and {prefix}-firewall.service, where there is one',
    ],
  },
  nginx: {
    what: 'Virtual hosts of the gateway and of the apps behind it, for nginx on this host.',
    check: ['nginx -t'],
    use: ['nginx -t', 'systemctl reload nginx'],
  },
  nix: {
    what: "The spec as options of Gate's NixOS modules. Import it beside nixosModules.default of the flake; docs/nixos.md says how.",
    check: ['nix-instantiate --parse *.nix'],
    use: ['nixos-rebuild test'],
  },
  quadlet: {
    what: 'A rootless container for each backend, in directories owned by root that the manager of its user reads, and the plain units beside them.',
    check: ['for d in users/*; do QUADLET_UNIT_DIRS=$PWD/$d /usr/libexec/podman/quadlet -user -dryrun; done'],
    use: [
      'systemctl --user -M {prefix}-NAME@.host daemon-reload    # for each backend NAME; package systemd-container',
      'systemctl --user -M {prefix}-NAME@.host start {prefix}-NAME.service',
    ],
  },
  render: { what: 'The gateway on Render.', check: ['render blueprints validate'], use: ['git push'] },
  systemd: {
    what: 'System units of the daemon and the relays, accounts, directories, and what the backends need of this host. The programs themselves are installed as docs/install-systemd.md says.',
    check: [
      'systemd-analyze verify system/*.service system/*.socket',
      'systemd-tmpfiles --create --dry-run tmpfiles.d/*.conf',
    ],
    use: [
      'systemd-sysusers',
      'usermod --add-subuids FIRST-LAST --add-subgids FIRST-LAST {prefix}-NAME    # for each backend NAME; FIRST: subuid in gate.lock.json, 65536 ids',
      'systemd-tmpfiles --create',
      'systemctl daemon-reload',
      'systemctl enable --now {prefix}-daemon.socket {prefix}-daemon-admin.socket {prefix}-daemon.service',
      'systemctl enable --now {prefix}-relay@INSTANCE.service    # for each relay',
    ],
  },
}

/** Before what serves its certificates. */
const AUTHORITY = [
  'systemctl enable --now {prefix}-ca.service {prefix}-ca-renew.timer    # before the proxy or the daemon',
]

const hasAuthority = (files: readonly OutputFile[], prefix: string) =>
  files.some(({ path }) => path === `systemd/system/${prefix}-ca.service`)

/** `README.txt` of one target: what its files are, where they belong, how they are checked and put to use. */
export function readme(target: Target, files: readonly OutputFile[], prefix: string): OutputFile {
  const { what, check, use } = GUIDES[target]
  const places = files.map(({ path, install, mode }) => {
    const place = install === undefined ? 'stays here' : `${install} (0${mode.toString(8)})`
    return `${path.slice(target.length + 1)} -> ${place}`
  })
  const lines = [
    what,
    '',
    'Made by gatectl from the spec: change the spec and compile again, changes here are lost.',
    ...section('Where each file belongs', places),
    ...section('Check, in this directory', check),
    ...section(
      'Use, on the host, once the files are in their places',
      [...use, ...(hasAuthority(files, prefix) ? AUTHORITY : [])].map((line) => line.replaceAll('{prefix}', prefix)),
    ),
  ]
  return {
    path: `${target}/README.txt`,
    mode: 0o644,
    text: `${lines.join('\n')}\n`,
    origins: lines.map(() => ''),
  }
}

function section(title: string, lines: readonly string[]): string[] {
  return ['', `${title}:`, ...lines.map((line) => `  ${line}`)]
}

/** The projects that people come from: what each of their documents shows has a row. */
export const SEEDS = {
  'ai-gateway': 'AI Gateway (compose, a system user)',
  sovereign: 'Sovereign Engine',
  'model-serving': 'the model-serving scripts (quadlets, nginx, dnsmasq)',
  modules: "Gate's first NixOS modules",
  aisopod: 'Aisopod',
} as const

/**
 * Where a row stands: `proof` names a test file and a part of a title in it; `owed` says what has to be built first;
 * `declined` says why Gate does not have it.
 */
export type Standing =
  | { readonly proof: readonly [file: string, title: string] }
  | { readonly owed: Owed }
  | { readonly declined: string }

/** What is still to be built, in the order of building. */
export const OWED = {
  console: 'the console',
  models: 'downloads of models',
  sandbox: 'sandbox and tools',
} as const
export type Owed = keyof typeof OWED

/** One thing that a document shows, and what it is in Gate (what to do instead, where it is declined). */
type Entry = { readonly shown: string; readonly gate: string } & Standing
export type Row = Entry & { readonly seed: keyof typeof SEEDS }

const HOST = 'test/lab/debian-host.test.ts'
const APPLY = 'test/lab/apply.test.ts'
const DOCTOR = 'test/lab/doctor.test.ts'
const AGENT = 'test/lab/agent.test.ts'
const SERVICE = 'test/lab/service.test.ts'
const INSTALL = 'test/lab/install.test.ts'
const PACKAGE = 'test/lab/package.test.ts'
const CA = 'test/unit/ctl/ca.test.ts'
const INTERNAL_CA = 'test/lab/internal-ca.test.ts'
const CONFIG = 'test/e2e/config.test.ts'
const GATECTL = 'test/e2e/gatectl.test.ts'
const START = 'test/e2e/start.test.ts'
const CLIENT = 'test/e2e/client.test.ts'
const OIDC = 'test/e2e/oidc.test.ts'
const PROXIES = 'test/e2e/proxies.test.ts'
const GOLDEN = 'test/unit/compiler/golden.test.ts'
const EXAMPLES = 'test/nix/examples.test.ts'
const MODULES = 'test/nix/modules.test.ts'

const compiled = { proof: [GOLDEN, 'golden'] } as const
const applied = { proof: [APPLY, 'applied, both backends answer'] } as const
const seedVariables = { proof: ['test/unit/config/seed-variables.test.ts', 'takes $name'] } as const
const accounts = { proof: [HOST, 'dpkg, init and apply bring up the gateway and two backends'] } as const
const shownByAgent = { proof: [AGENT, 'gatectl backend: list, stop, start, status'] } as const
const followed = { proof: [AGENT, 'gatectl backend events, logs -t and the exit code'] } as const
const journal = { proof: [AGENT, 'gatectl backend logs: text, JSON, following'] } as const
const nixExample = { proof: [EXAMPLES, 'the first flake listens where it says'] } as const
const relayUnits = { proof: [EXAMPLES, 'relays are units of their own'] } as const
const unitState = { proof: [GATECTL, 'status tells what runs'] } as const

const aiGateway: readonly Entry[] = [
  {
    shown: 'user `aigateway`, `/usr/sbin/nologin`',
    gate: 'account `gate`, made by the package',
    proof: [INSTALL, 'the daemon runs as gate'],
  },
  {
    shown: 'rootless Docker, `dockerd-rootless-setuptool.sh`',
    gate: 'rootless podman in an account for each backend, by `gatectl apply`',
    ...accounts,
  },
  {
    shown: 'user in the group `docker`',
    gate: 'no program has a container socket',
    declined: 'a container socket is root by another name',
  },
  {
    shown: 'unprivileged Proxmox LXC is not supported',
    gate: '`gatectl doctor` says what such a host lacks',
    proof: ['test/unit/host/doctor/ground.test.ts', 'LXC'],
  },
  { shown: '`setup_user.sh`', gate: '`dpkg -i gate_*.deb`, then `gatectl apply`', ...accounts },
  {
    shown: '`setup.sh`: profile, budget, port, nginx, TLS',
    gate: '`gatectl init`',
    proof: ['test/unit/ctl/init-questions.test.ts', 'D7 asks all that a set-up asks'],
  },
  { shown: 'Desktop/Small VPS/Medium VPS/Large VPS', gate: '`gate.profile`', ...compiled },
  {
    shown: 'budget Test/Prod/Unlimited',
    gate: '`[budgets.<name>]`',
    proof: ['test/unit/daemon/gateway/budgets.test.ts', 'for three answers admits three of 100 parallel requests'],
  },
  { shown: 'random high ports', gate: '`gate.server.port = "random"`', ...compiled },
  {
    shown: 'nginx reverse proxy, `external-nginx-example.conf`',
    gate: '`[proxy] engine = "nginx"`',
    proof: [PROXIES, 'with TLS, no proxy before it'],
  },
  {
    shown: '`start.sh`, `stop.sh`',
    gate: '`systemctl start gate-daemon`, `systemctl stop gate-daemon`',
    proof: [SERVICE, 'stopping waits for a stream that runs'],
  },
  {
    shown: '`ai-gateway.service` (system)',
    gate: '`gate-daemon.service`',
    proof: [INSTALL, 'systemd finds nothing wrong with the units'],
  },
  {
    shown: '`ai-gateway.service` (user), `enable-linger`',
    gate: 'units of each backend in its lingering manager',
    ...accounts,
  },
  {
    shown: '`systemctl --user start|stop|restart|status ai-gateway`',
    gate: '`gatectl backend start|stop|restart|status NAME`',
    ...shownByAgent,
  },
  {
    shown: '`journalctl --user -u ai-gateway -f`',
    gate: '`gatectl backend logs -f NAME`, `journalctl -u gate-daemon -f`',
    ...journal,
  },
  {
    shown: '`/opt/ai-gateway`',
    gate: '`/usr/lib/gate`, `/etc/gate`, `/var/lib/gate`',
    proof: [PACKAGE, 'it installs'],
  },
  {
    shown: '`.env` 0600',
    gate: '`/etc/gate/gate.env`, root 0600; better: systemd credentials',
    proof: [INSTALL, 'a systemd credential is a value of the configuration'],
  },
  { shown: '`config.yaml` 0644', gate: '`/etc/gate/gate.toml`', ...applied },
  {
    shown: '`git pull`, `setup_user.sh` again keeps the configuration',
    gate: 'the package upgrades in place',
    proof: [PACKAGE, 'an upgrade keeps keys, configuration and streams'],
  },
  {
    shown: 'fix permissions by `chown -R`',
    gate: '`gatectl doctor` finds the file and prints its command',
    proof: [DOCTOR, 'the deployed host has nothing wrong'],
  },
  { shown: '`docker compose ps`', gate: '`gatectl backend list`', ...shownByAgent },
  {
    shown: '`docker compose logs --tail=100 -t SERVICE`',
    gate: '`gatectl backend logs -n 100 -t NAME`',
    ...followed,
  },
  {
    shown: '`docker inspect --format={{.State.ExitCode}}`',
    gate: 'exit code in `gatectl backend status NAME`',
    ...followed,
  },
  { shown: '`docker events --filter container=…`', gate: '`gatectl backend events NAME`', ...followed },
  {
    shown: '`docker compose restart SERVICE`',
    gate: '`gatectl backend restart NAME`',
    proof: [AGENT, 'an engine that always runs: restarted it is another process'],
  },
  {
    shown: '`ss -tulpn | grep :4000`',
    gate: '`gatectl doctor` names who holds the port',
    proof: [DOCTOR, 'the line of a taken port names who took it'],
  },
  {
    shown: 'quick diagnostic script',
    gate: '`gatectl doctor`, `gatectl doctor --bundle`',
    proof: [DOCTOR, 'no canary that was planted on the host is in a bundle'],
  },
  {
    shown: 'uninstallation',
    gate: '`gatectl uninstall`, `apt purge gate`',
    proof: [APPLY, 'uninstall leaves the host as it was'],
  },
  { shown: '`docker-compose.yml`', gate: '`gatectl compile --target compose`', ...compiled },
]

const sovereign: readonly Entry[] = [
  {
    shown: '`docker compose up --build`, port 3000',
    gate: '`npm start` (a clone), `gatectl compile --target compose`',
    proof: ['test/e2e/fresh-clone.test.ts', 'npm start in a fresh clone'],
  },
  {
    shown: 'login `admin` / `changeme`',
    gate: 'a key, made at the first start and shown once',
    proof: [START, 'prints a key once'],
  },
  {
    shown: '`/config/sovereign.db`, migrations',
    gate: '`/var/lib/gate/gate.db`',
    proof: ['test/unit/store/database.test.ts', 'database'],
  },
  {
    shown: '`BREAK_GLASS`, `BOOTSTRAP_USER`, `BOOTSTRAP_PASSWORD`',
    gate: 'the same names, bare and with `GATE_`',
    proof: ['test/e2e/break-glass.test.ts', "the seed's command works while it is on, and only then"],
  },
  {
    shown: '`DB_ENCRYPTION_KEY`',
    gate: 'the same name, bare and with `GATE_`; better: a credential',
    ...seedVariables,
  },
  {
    shown: '`DOCKER_GID`, `/var/run/docker.sock`',
    gate: 'no container socket at all',
    declined: 'the gateway orders starts from an agent instead',
  },
  { shown: '`/dev/dri`, `/dev/kfd`', gate: '`gpu = { kind = "vulkan" }`, `gpu = { kind = "amd" }`', ...compiled },
  { shown: 'GIDs of the GPU found by itself', gate: '`GroupAdd=keep-groups`, groups by sysusers.d', ...compiled },
  {
    shown: '`generate-dev-certs.sh`',
    gate: '`gatectl ca issue --dev`',
    proof: [CA, "a developer's CA is made by the first certificate"],
  },
  {
    shown: '`TLS_CERT_PATH`, `TLS_KEY_PATH`, `LISTEN_ADDR`, `EXTERNAL_URL`, `ACME_DOMAIN`',
    gate: 'the same names, bare and with `GATE_`',
    ...seedVariables,
  },
  {
    shown: '`/config/cert.pem`, `/config/key.pem`, `/config/acme/`',
    gate: '`tls.files`, the state directory',
    proof: ['test/e2e/acme.test.ts', 'everything on the disk is for the account alone'],
  },
  { shown: 'ACME, then files, then HTTP', gate: 'the same order', ...seedVariables },
  {
    shown: '`GET`/`POST /api/admin/idps`',
    gate: 'the same',
    proof: [OIDC, 'a secret is shown nowhere, and stored sealed'],
  },
  {
    shown: '`{EXTERNAL_URL}/auth/callback`',
    gate: '`{server.external_url}/auth/callback`',
    proof: [OIDC, 'people come back to where Gate is'],
  },
  {
    shown: 'first OIDC user is admin',
    gate: 'the same',
    proof: [OIDC, 'both are let in, and one is an administrator'],
  },
  {
    shown: '`GET /api/admin/hf/search`, `POST /api/admin/hf/download`, `GET /api/admin/hf/downloads`',
    gate: 'the same',
    owed: 'models',
  },
  {
    shown: '`POST /api/admin/categories`',
    gate: 'the same; in the spec `category`',
    proof: ['test/e2e/seed-api.test.ts', 'makes a model category'],
  },
  {
    shown: '`POST /api/admin/containers/start`, `…/stop`',
    gate: 'the same, with the name of a backend or model; `gatectl backend start|stop NAME`',
    proof: ['test/e2e/seed-api.test.ts', 'starts and stops the container of a model'],
  },
  {
    shown: 'network `internal: true`',
    gate: '`Network=none` and a Unix socket',
    proof: [HOST, 'a container reaches neither the internet nor the gateway'],
  },
  { shown: 'UIDs 10000-65000 at random', gate: 'an account for each backend, kept in `gate.lock.json`', ...accounts },
  { shown: 'models read-only from `/models`', gate: '`/var/lib/gate/models`, read-only', ...compiled },
  {
    shown: '`GET /auth/providers`',
    gate: 'the same; for health `GET /health`',
    proof: ['test/e2e/seed-api.test.ts', 'checks the health'],
  },
  {
    shown: '`GET /api/user/events`, cookie `se_session`',
    gate: 'the same',
    proof: ['test/e2e/seed-api.test.ts', 'follows the figures with the cookie of a session'],
  },
  {
    shown: '`RUST_LOG`',
    gate: '`log.level` (`GATE_LOG__LEVEL`); a start with `RUST_LOG` says so',
    proof: ['test/unit/config/foreign-variables.test.ts', 'is told of'],
  },
  {
    shown: '`GET /api/admin/system`',
    gate: 'the same; `gatectl status`, `gatectl doctor`',
    proof: ['test/e2e/seed-api.test.ts', 'shows disk, backends and queues'],
  },
  {
    shown: '`GET /api/user/usage?period=hour|day|week|month`',
    gate: 'the same',
    proof: ['test/e2e/usage.test.ts', 'reports what the caller has used'],
  },
  {
    shown: 'SQL over `usage_log`',
    gate: 'the same, in `gate.db`',
    proof: ['test/unit/store/usage-upkeep.test.ts', 'the queries over usage_log that a seed shows'],
  },
  {
    shown: 'back up `/config`',
    gate: '`gatectl backup FILE`, `gatectl restore FILE`',
    proof: ['test/e2e/backup.test.ts', 'every settled row is there'],
  },
  { shown: 'tokens as SHA-256, shown once', gate: 'the same', proof: ['test/unit/daemon/auth/tokens.test.ts', 'hash'] },
  {
    shown: 'sessions of 24 h',
    gate: '`auth.jwt.expiration_hours`',
    proof: ['test/unit/daemon/auth/access.test.ts', 'end after their time'],
  },
  { shown: 'PKCE, nonce, CSRF token', gate: 'the same', proof: [OIDC, 'login CSRF, code injection'] },
  {
    shown: 'IdP secrets AES-256-GCM at rest',
    gate: 'the same',
    proof: [OIDC, 'a secret is shown nowhere, and stored sealed'],
  },
  { shown: 'CSP with hashes', gate: 'a strict CSP without inline scripts', owed: 'console' },
  {
    shown: 'networks `sovereign-public`, `sovereign-internal`, `sovereign-openwebui`',
    gate: 'a network only where the spec says `network = true`',
    ...compiled,
  },
]

const modelServing: readonly Entry[] = [
  { shown: 'users `vllm-user`, `webui-user`', gate: 'accounts `gate-vllm`, `gate-webui`', ...accounts },
  {
    shown: 'users `nginx-user`, `dnsmasq-user`',
    gate: 'nginx is the host’s service, dnsmasq a unit of its own',
    ...compiled,
  },
  {
    shown: '`/var/lib/vllm`, `/var/lib/webui/data`',
    gate: 'home of the account, volumes of the container',
    ...compiled,
  },
  {
    shown: '`quadlets/vllm-qwen.container`, `quadlets/open-webui.container`',
    gate: '`[backends.vllm]`, `[backends.webui]`, `--target quadlet`',
    ...compiled,
  },
  {
    shown: '`quadlets/nginx-proxy.container`, `config/nginx/conf.d/*.conf`',
    gate: '`[proxy] engine = "nginx"`, `--target nginx`',
    ...compiled,
  },
  {
    shown: '`quadlets/dnsmasq.container`, `config/dnsmasq/dnsmasq.conf`',
    gate: '`[dns] engine = "dnsmasq"`, `--target dnsmasq`',
    proof: ['test/e2e/dnsmasq.test.ts', 'there are goldens for dnsmasq'],
  },
  { shown: '`install-quadlets.sh` (safe to run again)', gate: '`gatectl apply`', ...applied },
  {
    shown: '`generate-ssl-cert.sh`, ten-year wildcard',
    gate: '`gate.tls.internal_ca = true`: a CA of this host, certificates of 14 days',
    proof: [INTERNAL_CA, 'apply makes it, and nginx serves a certificate by it'],
  },
  {
    shown: '`liminati-ca.crt` at the client installer',
    gate: '`client` target, with the internal CA',
    proof: ['test/e2e/internal-ca.test.ts', 'trusts it after the installer ran'],
  },
  {
    shown: '`curl http://IP:8081/install-client.sh | bash -s IP`',
    gate: '`[client]`, `--target client`',
    proof: [CLIENT, 'has the checksum that stands beside it'],
  },
  { shown: '`vllm-manage.sh`', gate: '`gatectl backend …`', ...shownByAgent },
  {
    shown: '`sudo -u USER XDG_RUNTIME_DIR=… systemctl --user status|restart SERVICE`',
    gate: '`gatectl backend status|restart NAME`',
    ...shownByAgent,
  },
  { shown: '`journalctl --user -u SERVICE -f`', gate: '`gatectl backend logs -f NAME`', ...journal },
  {
    shown: 'ports 80, 443, 8081, 53',
    gate: '`[proxy]`, `[client]`, `[dns]`',
    proof: [PROXIES, 'with TLS, no proxy before it'],
  },
  {
    shown: 'port 8000 of vLLM, port 3000 of Open WebUI',
    gate: 'Unix sockets; names of the domain by the proxy',
    proof: [HOST, 'no TCP port is open but the gateway'],
  },
  {
    shown: 'DNS admin page on port 5380',
    gate: '`/etc/gate/gate.toml` and `gatectl apply`',
    declined: 'one more way in, for names that the spec already decides',
  },
  {
    shown: 'Tailscale: nameserver and search domain in its console',
    gate: 'the same, once, by hand: [clients.md](clients.md)',
    proof: ['test/unit/docs.test.ts', 'E6 a page for people shows'],
  },
  {
    shown: 'names `webui.…`, `vllm.…` of the domain',
    gate: '`expose = "webui"`',
    proof: ['test/e2e/dnsmasq.test.ts', 'there are goldens for dnsmasq'],
  },
  { shown: 'HTTPS with HSTS', gate: 'the same', proof: [PROXIES, 'with TLS, no proxy before it'] },
  {
    shown: 'delete `ssl/*`, run the script again',
    gate: 'the timer `gate-ca-renew`; `gatectl ca revoke NAME` at once',
    proof: [INTERNAL_CA, 'what is revoked is replaced at once'],
  },
  {
    shown: '`nslookup NAME IP`',
    gate: '`gatectl doctor` asks the name server',
    proof: [DOCTOR, 'the deployed host has nothing wrong'],
  },
  { shown: '`sudo -u USER podman ps`', gate: '`gatectl backend shell NAME`, `gatectl doctor`', ...shownByAgent },
]

const modules: readonly Entry[] = [
  { shown: '`gate.nixosModules.default`', gate: 'the same', ...nixExample },
  { shown: '`services.gate-daemon.{enable,host,port,p2pPort}`', gate: 'the same', ...nixExample },
  {
    shown: '`services.gate-daemon.{openFirewall,openFirewallOnInterfaces}`',
    gate: 'the same',
    proof: [MODULES, 'nothing is wrong; its units and all else are as expected'],
  },
  { shown: '`services.gate-daemon.initialUpstreams`', gate: 'the same', ...nixExample },
  {
    shown: '`services.gate-daemon.relay.{enable,addresses,customDomain}`',
    gate: 'the same',
    proof: ['test/e2e/relay-client.test.ts', 'it has a tunnel to each, and the second was told by the first'],
  },
  {
    shown: '`services.gate-daemon.environmentFile`',
    gate: 'the same',
    proof: [EXAMPLES, 'secrets are handed over by systemd'],
  },
  {
    shown:
      '`services.gate-relay.enable`, `instances.<name>.{enable,httpsPort,p2pPort,logLevel,bindAddress,domainSuffix,dns,openFirewallOnInterfaces,environmentFile}`',
    gate: 'the same options',
    ...relayUnits,
  },
  {
    shown: 'a relay that runs',
    gate: '`gate-relay`',
    proof: [
      'test/lab/relay.test.ts',
      'as NixOS makes them of its examples: started, a node joins, a visitor is served',
    ],
  },
  {
    shown: 'priority Environment > Runtime > Nix > Defaults',
    gate: 'the same',
    proof: [CONFIG, 'a variable wins over a runtime value, and explain shows all four layers'],
  },
  { shown: '`/var/lib/gate/config.toml`', gate: 'the same', proof: [CONFIG, 'an edit takes effect at once'] },
  {
    shown: 'edits by web UI or CLI',
    gate: '`gatectl config set`; the web UI is owed',
    proof: [GATECTL, 'an edit takes effect at once, shows in diff and promote'],
  },
  {
    shown: '`GATE_AUTH__JWT__SECRET`, `GATE_UPSTREAMS__OPENAI__API_KEY`, `GATE_LETSENCRYPT__EMAIL`',
    gate: 'the same',
    proof: ['test/unit/config/environment.test.ts', 'GATE_'],
  },
  {
    shown: '`RELAY__DNS__CLOUDFLARE__API_TOKEN`, `RELAY__DNS__CLOUDFLARE__ZONE_ID`',
    gate: 'the same',
    proof: ['test/e2e/relay-program.test.ts', 'explains each key by its layer, secrets left out'],
  },
  {
    shown: '`gate.overlays.default`, `gate-daemon`, `gate-relay` in pkgs',
    gate: 'the same',
    proof: [EXAMPLES, 'the overlay puts the package into pkgs under both names'],
  },
  {
    shown: '`nix build -f <nixpkgs/nixos> system --arg configuration ./nix/test-config.nix`',
    gate: 'the same',
    proof: ['test/nix/flake.test.ts', 'the machine and the configuration for trying it out'],
  },
  {
    shown: '`nixos-rebuild build-vm --flake .#test-vm`',
    gate: 'the same',
    proof: ['test/nix/flake.test.ts', 'the machine and the configuration for trying it out'],
  },
  {
    shown: 'several instances',
    gate: '`services.gate-relay.instances`, `services.gate-daemon.instances`',
    ...relayUnits,
  },
]

const aisopod: readonly Entry[] = [
  {
    shown: '`auth.mode = "token"`, `Authorization: Bearer`',
    gate: 'the same',
    proof: [GATECTL, 'a key works from when it is made until it is revoked'],
  },
  {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the document's own line
    shown: '`token = "${AISOPOD_AUTH_TOKEN}"`',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the form that config.toml has
    gate: '`auth.token = "${NAME}"` in `config.toml`',
    proof: ['test/unit/config/variables.test.ts', 'AISOPOD_AUTH_TOKEN'],
  },
  {
    shown: '`auth.mode = "password"`, `password_hash`',
    gate: 'the same',
    proof: ['test/e2e/sign-in-pages.test.ts', "a seed's login takes the password alone"],
  },
  {
    shown: '`auth.mode = "device"`',
    gate: 'the same (RFC 8628)',
    proof: ['test/e2e/gatectl-login.test.ts', 'gatectl signs in on a device'],
  },
  {
    shown: '`auth.mode = "none"`',
    gate: 'the same, on loopback only',
    proof: [START, 'auth.mode none serves without a key, on loopback names only'],
  },
  {
    shown: '`aisopod auth hash-password`',
    gate: '`gatectl auth hash-password`',
    proof: ['test/unit/ctl/access.test.ts', 'a password is hashed for auth.password_hash'],
  },
  {
    shown: '`aisopod auth create-token --scopes … --name …`',
    gate: '`gatectl token create`, `gatectl auth create-token`',
    proof: [GATECTL, 'a key works from when it is made until it is revoked'],
  },
  {
    shown: '`aisopod auth rotate-token`',
    gate: '`gatectl auth rotate-token`',
    proof: ['test/unit/ctl/access.test.ts', 'a key is rotated'],
  },
  {
    shown: 'nine scopes',
    gate: 'the same',
    proof: ['test/unit/daemon/auth/principal.test.ts', 'the system key may do'],
  },
  {
    shown: 'sessions inherit the scopes of their user',
    gate: 'the same',
    proof: ['test/unit/daemon/admin/access-routes.test.ts', 'a session is renewed, shown, and ended'],
  },
  {
    shown:
      '`[tools.sandbox]`: `enabled`, `runtime`, `image`, `timeout`, `memory_limit`, `cpu_limit`, `network`, `allowed_languages`',
    gate: '`[sandbox]`: accepted, warned about',
    owed: 'sandbox',
  },
  {
    shown: '`workers`',
    gate: 'one process; `server.max_concurrent` bounds it',
    declined: 'a second process would need shared state for keys, turns and budgets',
  },
  {
    shown: '`AISOPOD_LOG=info`',
    gate: '`GATE_LOG__LEVEL=info`; a start with `AISOPOD_LOG` or `GATE_LOG` says so',
    proof: ['test/unit/config/foreign-variables.test.ts', 'is told of'],
  },
  {
    shown: '`GET /health`, `GET /ready`',
    gate: 'the same',
    proof: ['test/e2e/request-check.test.ts', 'the request that all others here vary is answered'],
  },
  {
    shown: '`sessions.db`',
    gate: '`gate.db`',
    proof: ['test/unit/daemon/auth/access.test.ts', 'outlive a restart, and no longer than before'],
  },
  {
    shown: 'rate limits at the proxy, addresses for admin routes, audit log',
    gate: '`server.admin_allow_from`, `limits`, `gatectl audit`',
    proof: ['test/e2e/api.test.ts', 'server.admin_allow_from is where the routes of operators'],
  },
  {
    shown: '`docker run … -v …:/config -v …:/data -p 3080:3080`',
    gate: 'the same places, with the image of `npm run package:oci`',
    proof: ['test/lab/oci.test.ts', 'reads /config/config.toml, keeps /data'],
  },
  {
    shown: '`AISOPOD_AUTH_TOKEN`, `AISOPOD_OPENAI_API_KEY`',
    gate: '`GATE_AUTH__TOKEN`, `GATE_UPSTREAMS__OPENAI__API_KEY`',
    proof: ['test/unit/config/environment.test.ts', 'GATE_'],
  },
  { shown: 'Docker Compose', gate: '`gatectl compile --target compose`', ...compiled },
  {
    shown: '`fly launch`, `fly secrets set`, `fly.toml` with a check of `/health`',
    gate: '`gatectl compile --target fly`',
    ...compiled,
  },
  { shown: 'Render, health check path `/health`', gate: '`gatectl compile --target render`', ...compiled },
  {
    shown: '`curl … install.sh | sh`',
    gate: '`dpkg -i gate_*.deb`',
    declined: 'a script from the network as root cannot be checked before it runs',
  },
  {
    shown: '`useradd -r`, `/etc/aisopod`, `/var/lib/aisopod`',
    gate: '`gate`, `/etc/gate`, `/var/lib/gate`, by the package',
    proof: [PACKAGE, 'it installs'],
  },
  {
    shown: 'Raspberry Pi, ARM64',
    gate: '`npm run package:oci -- --arch arm64`; `npm run package:deb` on such a machine',
    declined: 'both are made, and neither was ever run on ARM64, so nothing is promised',
  },
  {
    shown: '`aisopod gateway start --config FILE`',
    gate: '`gatectl gateway start --config FILE`',
    proof: [START, 'gatectl gateway start runs the daemon with the file that is named'],
  },
  {
    shown: '`aisopod.service`',
    gate: '`gate-daemon.service`',
    proof: [INSTALL, 'systemd finds nothing wrong with the units'],
  },
  {
    shown: '`dev.aisopod.gateway.plist`, `launchctl load|unload`',
    gate: '`gatectl compile --target launchd`',
    ...compiled,
  },
  {
    shown: 'nginx: redirect, headers, WebSocket upgrade, `/ws`, `/health`',
    gate: '`[proxy] engine = "nginx"`',
    proof: [PROXIES, 'with TLS, no proxy before it'],
  },
  {
    shown: '`certbot certonly --nginx`',
    gate: '`gate.tls.acme`; or certbot, whose files `gate.tls.files` names',
    proof: ['test/e2e/acme.test.ts', 'gets its certificate by its own listeners'],
  },
  {
    shown: 'Caddy',
    gate: '`[proxy] engine = "caddy"`',
    proof: ['test/e2e/caddy.test.ts', 'there are goldens for caddy'],
  },
  {
    shown: '`POST /auth/login|logout|refresh|create-token|rotate-token`',
    gate: 'the same',
    proof: ['test/unit/daemon/admin/access-routes.test.ts', 'rotates a key by its name or id'],
  },
  { shown: '`/ws`', gate: 'the same (JSON-RPC 2.0)', owed: 'console' },
  {
    shown: '`aisopod gateway validate-config`',
    gate: '`gatectl config validate FILE`',
    proof: ['test/unit/ctl/config-files.test.ts', 'validate'],
  },
  {
    shown: '`journalctl -u aisopod -f`',
    gate: '`journalctl -u gate-daemon -f`, `gatectl logs -f`',
    proof: [GATECTL, 'logs -f shows a request when it is answered'],
  },
  { shown: '`systemctl status aisopod`', gate: '`gatectl status`', ...unitState },
  {
    shown: '`$STATE/config.toml` with `[auth]`',
    gate: 'the same file, the same keys',
    proof: [CONFIG, 'a runtime file cut at'],
  },
]

/** Every row, in the order of the documents. */
export const LEDGER: readonly Row[] = [
  ...aiGateway.map((row) => ({ seed: 'ai-gateway' as const, ...row }) satisfies Row),
  ...sovereign.map((row) => ({ seed: 'sovereign' as const, ...row }) satisfies Row),
  ...modelServing.map((row) => ({ seed: 'model-serving' as const, ...row }) satisfies Row),
  ...modules.map((row) => ({ seed: 'modules' as const, ...row }) satisfies Row),
  ...aisopod.map((row) => ({ seed: 'aisopod' as const, ...row }) satisfies Row),
]

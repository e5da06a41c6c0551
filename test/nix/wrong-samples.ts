/** A configuration that Gate's modules refuse, or warn of. */
export type WrongSample = {
  readonly name: string
  readonly module: string
  /** What the administrator is told, in part. */
  readonly message: string
  readonly warning?: true
}

const IMAGE = `"example.org/engine@sha256:${'0'.repeat(64)}"`
const gateway = (options: string) => `{ services.gate-daemon = { enable = true; ${options} }; }`
const backend = (options: string, more = '') =>
  gateway(
    `${more} backends.own = { engine = "custom"; image = ${IMAGE}; model = "own"; args = [ "{socket}" ]; ${options} };`,
  )
const relay = (options: string) => `{ services.gate-relay.instances.edge = { ${options} }; }`

export const WRONG: readonly WrongSample[] = [
  {
    name: 'a setting that does not exist',
    module: gateway('settings.server.prot = 8080;'),
    message: 'services.gate-daemon.settings.server.prot does not exist; did you mean port?',
  },
  {
    name: 'a setting in the spelling of TOML of something else',
    module: gateway('settings.discovry.enabled = false;'),
    message: 'services.gate-daemon.settings.discovry does not exist; did you mean discovery?',
  },
  {
    name: 'a setting like no other',
    module: gateway('settings.log.xyzzy = 1;'),
    message: 'settings.log.xyzzy does not exist; known: format, level',
  },
  {
    name: 'a setting of an upstream that does not exist',
    module: gateway('settings.upstreams.openai.baseURL = "https://example.org";'),
    message: 'settings.upstreams.openai.baseURL does not exist; did you mean baseUrl?',
  },
  {
    name: 'a secret as a setting',
    module: gateway('settings.upstreams.openai.apiKey = "sk-secret";'),
    message: 'write services.gate-daemon.credentials."upstreams.openai.api_key" = "/run/secrets/…"',
  },
  {
    name: 'a port said twice, differently',
    module: gateway('port = 8080; settings.server.port = 9090;'),
    message:
      'services.gate-daemon.port = 8080 and services.gate-daemon.settings.server.port = 9090 are the same setting: keep only one of them',
  },
  {
    name: 'the same port twice in one gateway',
    module: gateway('port = 41147;'),
    message: 'services.gate-daemon.p2pPort = 41147 is already taken by services.gate-daemon.port: write another port',
  },
  {
    name: 'the same port in two gateways',
    module: gateway('instances.lab = { p2pPort = 41247; };'),
    message: 'services.gate-daemon.instances.lab.port = 3000 is already taken by services.gate-daemon.port',
  },
  {
    name: 'the same port in a gateway and a relay',
    module: `{ services.gate-daemon = { enable = true; port = 8443; }; services.gate-relay.instances.edge.httpsPort = 8443; }`,
    message: 'services.gate-relay.instances.edge.httpsPort = 8443 is already taken by services.gate-daemon.port',
  },
  {
    name: 'the same port in two relays',
    module: '{ services.gate-relay.instances = { a = { }; b.p2pPort = 31146; }; services.gate-daemon.enable = false; }',
    message:
      'services.gate-relay.instances.b.httpsPort = 443 is already taken by services.gate-relay.instances.a.httpsPort',
  },
  {
    name: 'the port of the proxy and of a backend',
    module: backend('uid = 40000; listen = "tcp"; port = 80;', 'domain = "ai.example.org"; proxy.engine = "nginx";'),
    message: 'services.gate-daemon.backends.own.port = 80 is already taken by services.gate-daemon.proxy.httpPort',
  },
  {
    name: 'a port that nobody chose',
    module: gateway('port = "random";'),
    message: 'services.gate-daemon.port = "random" has no lock file to keep the port in: write a number',
  },
  {
    name: 'a backend on a port that nobody chose',
    module: backend('uid = 40000; listen = "tcp"; port = "random";'),
    message:
      'services.gate-daemon.backends.own needs a port of the host, and no lock file keeps one: write port = 8001;',
  },
  {
    name: 'a backend without a user id',
    module: backend(''),
    message: 'services.gate-daemon.backends.own has no user id: write uid = 40000;',
  },
  {
    name: 'two backends with one user id',
    module: gateway(
      `backends = { a = { engine = "custom"; image = ${IMAGE}; uid = 40000; }; b = { engine = "custom"; image = ${IMAGE}; uid = 40000; }; };`,
    ),
    message: 'services.gate-daemon.backends.b.uid = 40000 is already that of services.gate-daemon.backends.a',
  },
  {
    name: 'two backends with one range of subordinate ids',
    module: gateway(
      `backends = { a = { engine = "custom"; image = ${IMAGE}; uid = 20001; }; b = { engine = "custom"; image = ${IMAGE}; uid = 40001; }; };`,
    ),
    message: 'would get the same subordinate ids: write subIdStart for one of them',
  },
  {
    name: 'a range of another account in that of a backend',
    module: `{ imports = [ (${backend('uid = 40000;')}) ]; users.users.me.subUidRanges = [ { startUid = 536870900; count = 20; } ]; }`,
    message:
      'users.users.me.subUidRanges overlaps the ids from 536870912 on, which belong to services.gate-daemon.backends.own: move that range',
  },
  {
    name: 'an environment file in the store',
    module: gateway('environmentFile = "/nix/store/0000-gate.env";'),
    message:
      'services.gate-daemon.environmentFile is in the Nix store, which every user can read: name a file that sops-nix or agenix makes',
  },
  {
    name: 'a credential beside the configuration, which Nix would copy to the store',
    module: gateway('credentials."auth.token" = ./token;'),
    message: 'services.gate-daemon.credentials."auth.token" is in the Nix store, which every user can read',
  },
  {
    name: 'a key of an upstream in the store',
    module: gateway(
      'initialUpstreams = [ { name = "groq"; provider = "groq"; apiKey.file = "/nix/store/0000-key"; } ];',
    ),
    message: 'services.gate-daemon.initialUpstreams (groq).apiKey.file is in the Nix store',
  },
  {
    name: 'a secret of a backend in the store',
    module: backend('uid = 40000; secrets.TOKEN.file = "/nix/store/0000-token";'),
    message: 'services.gate-daemon.backends.own.secrets.TOKEN.file is in the Nix store',
  },
  {
    name: 'a credential that fills nothing',
    module: gateway('credentials."auth.tokn" = "/run/secrets/x";'),
    message: 'services.gate-daemon.credentials."auth.tokn" is not a key of the configuration; did you mean token?',
  },
  {
    name: 'a credential that is no secret',
    module: gateway('credentials."server.port" = "/run/secrets/x";'),
    message:
      'services.gate-daemon.credentials."server.port" is not a secret: write services.gate-daemon.settings.server.port',
  },
  {
    name: 'an upstream twice',
    module: gateway(
      'initialUpstreams = [ { name = "openai"; provider = "openai"; } { name = "openai"; provider = "groq"; } ];',
    ),
    message: 'services.gate-daemon.initialUpstreams has "openai" twice: name each upstream once',
  },
  {
    name: 'an upstream and a backend of one name',
    module: backend('uid = 40000;', 'initialUpstreams = [ { name = "own"; provider = "openai"; } ];'),
    message:
      'services.gate-daemon: own is an upstream and a backend, which are the same to the daemon: rename one of them',
  },
  {
    name: 'an instance whose name is too long',
    module: '{ services.gate-daemon.instances.laboratory = { }; }',
    message:
      'services.gate-daemon.instances.laboratory: an instance is part of user names, which end after 31 characters: use at most 5',
  },
  {
    name: 'a backend whose name is too long',
    module: gateway(`backends.${'q'.repeat(27)} = { engine = "custom"; image = ${IMAGE}; uid = 40000; };`),
    message: 'which ends after 31 characters: use at most 20 lower-case letters and digits',
  },
  {
    name: 'a GPU without its driver',
    module: backend('uid = 40000; gpu.kind = "nvidia";'),
    message:
      'services.gate-daemon.backends.own.gpu.kind = "nvidia" needs the driver: write services.xserver.videoDrivers = [ "nvidia" ]',
  },
  {
    name: 'a GPU whose toolkit is off',
    module: `{ imports = [ (${backend('uid = 40000; gpu.kind = "nvidia";')}) ]; services.xserver.videoDrivers = [ "nvidia" ]; hardware.nvidia-container-toolkit.enable = false; }`,
    message: 'needs hardware.nvidia-container-toolkit.enable = true',
  },
  {
    name: 'a relay to be reached through, and none named',
    module: gateway('relay.enable = true;'),
    message: 'services.gate-daemon.relay.enable needs a relay: write relay.addresses = [ "relay.example.org:443" ]',
  },
  {
    name: 'a name where a socket needs an address',
    module: gateway('host = "gate.example.org";'),
    message: 'is a name, which a socket unit cannot look up: write an address such as "127.0.0.1"',
  },
  {
    name: 'a proxy without a name to answer to',
    module: gateway('proxy.engine = "nginx";'),
    message: 'services.gate-daemon.proxy needs the name that clients ask for: write domain = "ai.example.org"',
  },
  {
    name: 'a name server without a place to listen',
    module: gateway('domain = "ai.home.arpa"; dns.engine = "dnsmasq";'),
    message: 'services.gate-daemon.dns needs a domain and where to listen',
  },
  {
    name: 'two gateways behind Caddy, which reads one file',
    module: gateway(
      'domain = "a.example.org"; proxy.engine = "caddy"; instances.b = { port = 3100; p2pPort = 41247; domain = "b.example.org"; proxy.engine = "caddy"; };',
    ),
    message:
      'Caddy reads one file, and services.gate-daemon has it: write services.gate-daemon.instances.b.proxy.engine = "nginx"',
  },
  {
    name: 'a relay that writes records below no domain',
    module: relay('dns.provider = "cloudflare";'),
    message:
      'services.gate-relay.instances.edge.dns writes records below a domain: write domainSuffix = "gate.example.org"',
  },
  {
    name: 'a setting of a relay that does not exist',
    module: relay('settings.logLvel = "debug";'),
    message: 'services.gate-relay.instances.edge.settings.logLvel does not exist; did you mean logLevel?',
  },
  {
    name: 'a token of a relay as a setting',
    module: relay('settings.dns.apiToken = "x";'),
    message: 'services.gate-relay.instances.edge.settings.dns.apiToken is a secret',
  },
  {
    name: 'an environment file of a relay in the store',
    module: relay('environmentFile = "/nix/store/0000-relay.env";'),
    message: 'services.gate-relay.instances.edge.environmentFile is in the Nix store',
  },
  {
    name: 'a relay that cannot be part of a unit name',
    module: '{ services.gate-relay.instances."a b" = { }; }',
    message: 'services.gate-relay.instances.a b: an instance is part of unit names',
  },
  {
    name: 'keys that can be read on the way',
    module: gateway('host = "0.0.0.0";'),
    message: 'services.gate-daemon.host = "0.0.0.0" answers on the network without TLS',
    warning: true,
  },
  {
    name: 'an image that may change',
    module: gateway('backends.own = { engine = "custom"; image = "example.org/engine:1"; uid = 40000; };'),
    message: 'services.gate-daemon.backends.own.image = "example.org/engine:1" is a tag',
    warning: true,
  },
  {
    name: 'a backend that nobody starts at boot',
    module: `{ lib, ... }: { imports = [ (${backend('uid = 40000;')}) ]; users.users.gate-own.linger = lib.mkForce false; }`,
    message: 'users.users.gate-own.linger is off, so nothing of backend own starts at boot: leave it on',
    warning: true,
  },
]

/** Whose code may be hostile: one file of `test/lab/attackers/` each. */
export type Attacker = 'login' | 'gate' | 'account' | 'container' | 'admin' | 'relay'

/** Something that an attacker may never do. */
export type Power = {
  readonly attacker: Attacker
  /** Completes "may never". */
  readonly never: string
} & (Held | Open)

type Held = {
  /** What keeps it from that. */
  readonly by: string
  /** Titles of the tests that try, in `test/lab/attackers/<attacker>.ts`; other files by `file: title`. */
  readonly tests: readonly string[]
}

/** It does not hold yet. */
type Open = {
  /** What such an attacker can do today. */
  readonly open: string
}

export const isHeld = (power: Power): power is Power & Held => 'by' in power

export const ATTACKERS: Readonly<Record<Attacker, string>> = {
  login: 'an ordinary account of the host, without a group of Gate',
  gate: 'code in the daemon: a gateway that is taken over',
  account: 'code as `gate-<backend>`, outside its container',
  container: "code in a backend's container",
  admin: 'a member of `gate-admin`',
  relay: 'code in a relay that passes visitors on, or a node of it: another host',
}

/** The one list: `docs/threat-model.md`, `SECURITY.md` and `docs/architecture.md` are made from it. */
export const POWERS: readonly Power[] = [
  {
    attacker: 'login',
    never: 'reach the API of Caddy, which hands out the key of its CA and takes any configuration',
    by: 'a Unix socket in a directory of Caddy alone (0700); nothing on TCP port 2019',
    tests: ["does not reach the API of Caddy, which hands out the CA's key and takes any configuration"],
  },
  {
    attacker: 'login',
    never: 'take the name of a configured model, or read a prompt',
    by: 'no search for engines where a spec is deployed, unless it says `gate.discovery.enabled = true`; then no engine of another login, and never a configured name',
    tests: [
      'test/unit/daemon/upstream/discovery.test.ts: an engine on the port of Ollama that $who runs (needs root): found are $names',
    ],
  },
  {
    attacker: 'login',
    never: 'read the prompts or the key of a backend that listens on TCP by taking its port',
    by: 'its port is in the network of its container alone; the gateway goes to a Unix socket, and the proxy behind it is inside that network',
    tests: [
      'gets nothing that is meant for a backend on TCP by taking its port while it starts again',
      'test/unit/compiler/declared.test.ts: no backend is reached by a port, also where the host has one for other programs',
    ],
  },
  {
    attacker: 'login',
    never: 'get what other programs send to a port of a backend on the host',
    by: 'at a port that `backends.<name>.port`, `links`, `expose` or Open WebUI put on the loopback, the account of the backend alone answers: the table of nftables drops the answers of any other (not with `gate.network.allow = ["any"]`, which leaves that table out)',
    tests: [
      'gets nothing that is sent to the port of a backend on the host while it holds that port',
      'test/unit/compiler/egress.test.ts: another account answers neither at ::1 nor by connecting to a client that waits',
    ],
  },
  {
    attacker: 'login',
    never: 'reach an agent over the network',
    by: 'an agent listens nowhere: systemd hands it connections of Unix sockets, which let in the accounts that may ask',
    tests: [
      'test/unit/compiler/declared.test.ts: an agent is reached over Unix sockets alone, whatever its backend has',
      'test/lab/agent.test.ts: the journal: the last lines, then new ones, and nothing is left when the reader goes',
    ],
  },
  {
    attacker: 'login',
    never: 'block or steer `gatectl apply`',
    by: "its lock is root's file (0600); who holds it is read from the kernel",
    tests: ['blocks no apply by holding its lock'],
  },
  {
    attacker: 'login',
    never: 'lead root to another file by links in its home',
    by: '`gatectl doctor --bundle`, `init` and the reading of an `image_archive` follow links only in directories that no other account writes to',
    tests: [
      'leads root to no other file when it writes into the home of a login',
      'leads root to no other file by a link in place of the archive of an image',
    ],
  },
  {
    attacker: 'login',
    never: "run code in a command of root's that keeps its environment (`sudo -E`)",
    by: "compiled code and temporary files of root's are kept only in directories that root alone can change; `NODE_OPTIONS` and the like are `sudo`'s to drop, which it does unless told otherwise",
    tests: ['runs nothing as root that keeps its environment, as with sudo -E'],
  },
  {
    attacker: 'login',
    never: 'pass `allow_from` by claiming an address, in `X-Forwarded-For`, `Forwarded` or a PROXY header',
    by: 'the proxy has a Unix socket of its group; only what comes over it, or from an address of `server.trusted_proxies`, is believed',
    tests: [
      'does not reach the socket of the proxy, over which the daemon believes what is said of a client',
      'test/e2e/identity-headers.test.ts: a stranger who claims anything',
      'test/e2e/identity-headers.test.ts: a stranger with a PROXY header',
    ],
  },
  {
    attacker: 'gate',
    never: 'run a container, or hold a container socket',
    by: 'its account has no subordinate ids; its unit makes no namespaces and hides `/run/user`',
    tests: ['runs no container', 'reaches no container socket'],
  },
  {
    attacker: 'gate',
    never: 'become root or the account of a backend',
    by: '`NoNewPrivileges=`, no capability, and no rule of polkit',
    tests: [
      'becomes neither root nor the account of a backend',
      'sees, traces and signals no process of another account',
    ],
  },
  {
    attacker: 'gate',
    never: 'talk to D-Bus, Varlink or another program of the host over its socket, or get a user manager by that',
    by: 'a `/run` of its own, with the sockets of backends and the resolver',
    tests: [
      'finds no socket but those of backends: no bus, no Varlink, no other program',
      'gets no user manager, which would run its code outside of the sandbox',
    ],
  },
  {
    attacker: 'gate',
    never: "read another user's files",
    by: '`ProtectHome=`, and modes that keep `gate` out of secrets and of the directories of backends',
    tests: ["reads no other user's files"],
  },
  {
    attacker: 'gate',
    never: 'open a shell in a container',
    by: 'shells have a socket of their own, for root and the group `gate-admin`; its agent refuses `gate` even as a member, and `apply` takes `gate` out of the group',
    tests: [
      'test/lab/attackers/shells.ts: code in the daemon opens no shell: no agent knows of any, and their socket lets it not in',
      'test/lab/attackers/shells.ts: the account of the gateway opens no shell even as a member of gate-admin, which apply and doctor undo',
    ],
  },
  {
    attacker: 'gate',
    never: 'write a model, or lead a container to another file of the host',
    by: "the models are root's, in a directory of root in which `gate` replaces its own files alone; containers mount them as a whole, so that a link resolves inside; `apply` refuses other mounts on whose way an account of Gate may write",
    tests: [
      'leads no container to another file in place of its model',
      'keeps no hold on the models of a host that the version before deployed',
    ],
  },
  {
    attacker: 'gate',
    never: 'dial anything but what the spec names',
    by: 'a table of nftables for its account, without which its unit does not run, and `IPAddressDeny=` in that unit; where an upstream has a name, public addresses and port 53 are open',
    tests: ['connects to the upstream of the spec, and to nothing else of this host, the network and the Internet'],
  },
  {
    attacker: 'gate',
    never: 'lead root elsewhere by what `gatectl doctor` prints',
    by: '`gatectl doctor` follows no link of other accounts; every command that it prints is quoted, which a type enforces',
    tests: ['leads nobody elsewhere who pastes what gatectl doctor prints'],
  },
  {
    attacker: 'account',
    never: "stop another backend by a link in place of its agent's socket",
    by: "each request names its backend; another's agent refuses it",
    tests: [
      'test/unit/agent/other-protocol.test.ts: what is meant for the agent of another backend is not done: $op for $backend',
    ],
  },
  {
    attacker: 'account',
    never:
      "lead the daemon, `gatectl` or root's `doctor` to the socket of another backend or program by a link in place of its own",
    by: 'a socket is opened before it is connected to, and must be on the file system of its directory, of which each backend has one of its own',
    tests: [
      'leads the daemon to no engine and no agent but its own by links in its directory',
      'test/unit/system/held-socket.test.ts: what is connected to is what was looked at, whatever is put in its place',
    ],
  },
  {
    attacker: 'account',
    never:
      'leave anything that a program reads on its own after the next apply: units, drop-ins, quadlets, D-Bus services, configuration, crontab, jobs of at(1)',
    by: "its home is root's but for what podman writes; `gatectl plan` names what is below `/run/user/<uid>`, and what its manager has loaded from there; `apply` removes it, ends every process of the account and starts it anew",
    tests: [
      'hides nothing in its manager: units and drop-ins whose files are gone, variables, what generators wrote',
      'writes nowhere in its home but where podman keeps images, volumes and its cache',
      'leaves nothing that an apply does not name and remove: in its home, below /run/user, in crontabs, in a session of its own',
    ],
  },
  {
    attacker: 'account',
    never: 'stop `gatectl uninstall` half-way, or leave processes, jobs, IPC objects and files to a later account',
    by: 'every process that has its id or one of its subordinate ids ends, in whatever session; its files in `/tmp` and the like go with the account, and its ids are never given again',
    tests: ['neither stops an uninstall by processes of its own nor leaves anything to a later account'],
  },
  {
    attacker: 'account',
    never: 'open a shell in another backend, or lead an admin into one',
    by: 'the directory of each shell socket lets only its account and `gate-admin` in; `gatectl` follows no link there, and each request names its backend',
    tests: [
      'test/lab/attackers/shells.ts: the account of a backend opens no shell in another, and leads no admin there',
    ],
  },
  {
    attacker: 'account',
    never: "fill the host's `/run`",
    by: 'the directories of its sockets, for the gateway and for shells, are file systems of 1 MiB and 64 files',
    tests: ['fills the directories of its sockets, and nothing else of the /run of the host'],
  },
  {
    attacker: 'account',
    never: 'give orders to an agent, or by it to a unit of another account',
    by: 'an agent takes orders from root and `gate` alone, for the units of its own backend; its socket is closed to other backends',
    tests: ['cannot give orders to its agent, nor by a link in its place lead them to that of another backend'],
  },
  {
    attacker: 'container',
    never: "fill the host's `/run`",
    by: 'the directory of its socket is a file system of 1 MiB and 64 files, a separate one for each backend',
    tests: ['fills the directory of its socket, and nothing else of the /run of the host'],
  },
  {
    attacker: 'container',
    never: 'reach a network, a socket or a process of the host without `network = true`',
    by: 'a network namespace with nothing but its own loopback; of `/run` it sees the directory of its socket alone; a process namespace of its own',
    tests: [
      'reaches no network: no address of the host, nothing outside, no abstract socket',
      'sees no socket but its own, no device of the host, no process of the host',
    ],
  },
  {
    attacker: 'container',
    never: 'reach a service that the host offers on all addresses, even with `network = true`',
    by: "pasta gives the container no address for its host (`--map-guest-addr none`; podman before 5.3 gave none), and the host's own address is the container's own inside",
    tests: ['with network = true reaches the outside, and no service of the host that listens on all addresses'],
  },
  {
    attacker: 'container',
    never: 'write to files of its image, of the host, or of the kernel',
    by: '`ReadOnly=true`, no capability, and `NoNewPrivileges=`',
    tests: ['writes nothing but its volumes, its temporary directories and the directory of its socket'],
  },
  {
    attacker: 'container',
    never: 'reach a service of the host at another of its addresses with `network = true`',
    open: 'where the host has more addresses than that of its default route, such as a tunnel or a bridge, a container with `network = true` reaches them as any program of its account does; only a firewall rule keeps it from that',
  },
  {
    attacker: 'container',
    never: 'use up memory or disk of the host',
    open: 'without `memory` nothing bounds what it allocates, or writes to its `/tmp`; its volumes have no quota; its log lines push older ones out of the journal',
  },
  {
    attacker: 'admin',
    never: "read a provider's key by changing where its requests go",
    by: 'a key goes only to the socket, or the origin and paths below, for which its layer set it',
    tests: [
      "never sees a provider's key, wherever it leads its requests",
      'test/unit/config/bound-keys.test.ts: a $given is not sent where an admin sets $key to $value',
      'test/unit/config/bound-keys.test.ts: what the environment changes drops a key of config.toml, too',
    ],
  },
  {
    attacker: 'admin',
    never: "write control sequences to root's terminal",
    by: 'one printer escapes all that `gatectl` prints but a shell',
    tests: [
      "writes nothing but text to root's terminal",
      'test/unit/ctl/output.test.ts: no text moves the cursor of whoever reads it, wherever it comes from; our own colours stay',
    ],
  },
  {
    attacker: 'admin',
    never: 'change the host, or read files of the daemon by what it configures',
    by: '`apply`, `rollback` and `uninstall` need root; no value of the configuration names a file that is read, and a variable of the environment is used only where it is meant',
    tests: [
      'needs root for no command but those that change the host',
      'reads no file and no variable of the daemon by a value of its configuration',
    ],
  },
  {
    attacker: 'relay',
    never: 'read what visitors and gateways say to each other',
    by: 'TLS ends in the gateway, whose key the relay never has',
    tests: [
      'test/e2e/relay-hardship.test.ts: what visitors and homes say to each other is not in the memory of the relay, nor in its log',
    ],
  },
  {
    attacker: 'relay',
    never: 'as a node: take the name of another one, or use its claim or an invite again',
    by: 'names that follow from keys, claims signed over the connection, one commit of the registry, 90 days of rest',
    tests: [
      'test/e2e/relay-program.test.ts: a name is not given for a signature of another tunnel, key or name',
      'test/e2e/relay-registry.test.ts: of two relays that race for a claim, exactly one gives the name, and both know to whom',
      'test/e2e/relay-registry.test.ts: one invite at two relays at the same time is used once',
    ],
  },
  {
    attacker: 'relay',
    never: 'as a node: have records written for other names, or other records',
    by: 'the relay makes the name of the record, of names that the node owns alone, and takes nothing but digests',
    tests: ['test/e2e/relay-dns.test.ts: nothing is written for $what'],
  },
  {
    attacker: 'relay',
    never: 'get a certificate for a name that points to it',
    open: 'without a CAA record that names the account of the gateway it can pass the validation of such names; `gatectl relay status` of the gateway prints the record',
  },
]

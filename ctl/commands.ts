import { TARGET_NAMES } from '../schemas/words/targets.ts'

/** What an argument or option value can be completed with. */
export type Completion = 'config-key' | 'token-id' | 'backend-name' | 'file' | readonly string[]

type Argument = { readonly name: string; readonly optional?: true; readonly complete?: Completion }

export type Option = {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  /** May be given more than once; options of type string only. */
  readonly multiple?: true
  /** Name of the value in the help; options of type string only. */
  readonly value?: string
  readonly description: string
  readonly complete?: Completion
}

type CommandEntry = {
  /** One or two words. */
  readonly name: string
  /** Other names that work; shown in no list. */
  readonly aliases?: readonly string[]
  readonly summary: string
  /** Shown in no list and completed nowhere. */
  readonly hidden?: true
  readonly arguments: readonly Argument[]
  readonly options: Readonly<Record<string, Option>>
  /** What the help says after the options. */
  readonly notes?: string
}

export const GLOBAL_OPTIONS: Readonly<Record<string, Option>> = {
  json: { type: 'boolean', description: 'print JSON of a stable shape' },
  socket: { type: 'string', value: 'PATH', description: "the daemon's admin socket", complete: 'file' },
  help: { type: 'boolean', short: 'h', description: 'show help' },
  version: { type: 'boolean', description: 'show the version' },
}

const KEY = { name: 'KEY', complete: 'config-key' } as const

const BACKEND = { name: 'NAME', complete: 'backend-name' } as const

const TARGET: Option = {
  type: 'string',
  value: 'A,B',
  description: `what to make: ${TARGET_NAMES.join(', ')}`,
  complete: TARGET_NAMES,
}
const COMPILE_OPTIONS = {
  podman: { type: 'string', value: '5.4', description: 'version of podman on the host (5.4, as in Debian 13)' },
  systemd: { type: 'string', value: '257', description: 'version of systemd on the host (257, as in Debian 13)' },
  lock: { type: 'string', value: 'FILE', description: 'instead of gate.lock.json beside SPEC', complete: 'file' },
} as const satisfies Readonly<Record<string, Option>>
const SPEC = { name: 'SPEC', complete: 'file' } as const
const HOST_SPEC = { ...SPEC, optional: true } as const
const LOCK: Option = COMPILE_OPTIONS.lock
const YES: Option = { type: 'boolean', short: 'y', description: 'do not ask' }
const WAIT: Option = {
  type: 'string',
  value: 'SECONDS',
  description: 'wait for another one that works on this host (0)',
}
const TIMEOUT: Option = { type: 'string', value: 'SECONDS', description: 'longest start of a unit (1800)' }
const INSTANCE: Option = { type: 'string', value: 'NAME', description: 'the gateway with this gate.instance' }

const TABLE = [
  {
    name: 'status',
    summary: 'show whether the daemon is ready, its upstreams and its problems',
    arguments: [],
    options: {},
  },
  {
    name: 'logs',
    summary: "show the daemon's last log lines",
    arguments: [],
    options: {
      follow: { type: 'boolean', short: 'f', description: 'go on with new lines' },
      lines: {
        type: 'string',
        short: 'n',
        value: 'N',
        description: 'at most N past lines (100; the daemon keeps 1000)',
      },
      level: {
        type: 'string',
        value: 'LEVEL',
        description: 'this level and more important: error, warn, info, debug',
        complete: ['error', 'warn', 'info', 'debug'],
      },
    },
  },
  {
    name: 'reload',
    summary: 'read the configuration files again, as SIGHUP does',
    arguments: [],
    options: {},
  },
  {
    name: 'token create',
    aliases: ['auth create-token'],
    summary: 'make a key and print it, this once',
    arguments: [],
    options: {
      name: { type: 'string', value: 'NAME', description: 'what the key is for (gatectl)' },
      scopes: {
        type: 'string',
        value: 'A,B',
        description: 'what the key may do (admin)',
        complete: [
          'chat:read',
          'chat:write',
          'agent:read',
          'agent:manage',
          'channel:read',
          'channel:manage',
          'config:read',
          'config:write',
          'admin',
        ],
      },
      expires: { type: 'string', value: '30d', description: 'life of the key, such as 12h or 30d (no end)' },
    },
    notes: 'The key alone goes to standard output, the rest to standard error: KEY=$(gatectl token create)',
  },
  {
    name: 'token list',
    summary: 'list the keys, without their text',
    arguments: [],
    options: {},
  },
  {
    name: 'token revoke',
    summary: 'make a key worthless at once',
    arguments: [{ name: 'ID', complete: 'token-id' }],
    options: {},
  },
  {
    name: 'config get',
    summary: 'print the value of a key',
    arguments: [{ ...KEY, optional: true }],
    options: { all: { type: 'boolean', description: 'every key and its value' } },
  },
  {
    name: 'config set',
    summary: 'write a key into the runtime configuration',
    arguments: [KEY, { name: 'VALUE', optional: true }],
    options: {
      force: { type: 'boolean', description: 'even when the environment hides the value' },
      file: { type: 'string', value: 'FILE', description: 'read the value from a file', complete: 'file' },
    },
    notes:
      'VALUE is read by the type of the key; lists are JSON. A VALUE of "-" is read from standard input:\n' +
      'that, or --file, keeps a secret out of the process list and the shell history.',
  },
  {
    name: 'config unset',
    summary: 'remove a key from the runtime configuration',
    arguments: [KEY],
    options: {},
  },
  {
    name: 'config explain',
    summary: 'show the value of a key in every layer, and which one wins',
    arguments: [KEY],
    options: {},
  },
  {
    name: 'config diff',
    summary: 'list what the runtime configuration changes over the layers below',
    arguments: [],
    options: { check: { type: 'boolean', description: 'exit with 3 when there is a difference' } },
  },
  {
    name: 'config promote',
    summary: 'print what makes the runtime configuration permanent',
    arguments: [],
    options: {
      format: {
        type: 'string',
        value: 'FORMAT',
        description: 'nix or spec (spec: TOML for gate.toml)',
        complete: ['nix', 'spec'],
      },
    },
  },
  {
    name: 'config validate',
    aliases: ['gateway validate-config'],
    summary: 'check a configuration file, or the running configuration',
    arguments: [{ name: 'FILE', optional: true, complete: 'file' }],
    options: {},
    notes:
      'With a FILE no daemon is needed; one that ends in .json is a declared layer. Exits with 3 when something is wrong.',
  },
  {
    name: 'backend list',
    summary: 'list the backends, what they do and what waits for them',
    arguments: [],
    options: {},
  },
  {
    name: 'backend status',
    summary: 'show one backend: its units, and why it does not start',
    arguments: [BACKEND],
    options: {},
  },
  {
    name: 'backend start',
    summary: 'start a backend and wait until it answers',
    arguments: [BACKEND],
    options: {},
    notes: 'Also one that was stopped by hand or is quarantined. Ctrl-C ends the waiting, not the start.',
  },
  {
    name: 'backend stop',
    summary: 'stop a backend once its requests have ended',
    arguments: [BACKEND],
    options: {},
    notes: 'One that starts on demand starts again with the next request; any other stays stopped until it is started.',
  },
  {
    name: 'backend restart',
    summary: 'stop and start a backend',
    arguments: [BACKEND],
    options: {},
  },
  {
    name: 'backend logs',
    summary: 'show the journal of a backend',
    arguments: [BACKEND],
    options: {
      follow: { type: 'boolean', short: 'f', description: 'go on with new lines' },
      lines: { type: 'string', short: 'n', value: 'N', description: 'at most N past lines (100; at most 10000)' },
    },
  },
  {
    name: 'backend shell',
    summary: "open a shell in a backend's container",
    arguments: [BACKEND],
    options: { journal: { type: 'boolean', description: 'page through its journal instead' } },
    notes:
      'Needs a terminal, and a container that runs and has a shell. Exits with the code of the shell.\n' +
      'Enter, then "~.", hangs up.',
  },
  {
    name: 'check',
    summary: 'say everything that is wrong with a spec (gate.toml)',
    arguments: [SPEC],
    options: { target: TARGET, ...COMPILE_OPTIONS },
    notes:
      'Needs no daemon. With --target also what these targets cannot express. A SPEC of "-" is standard input.\n' +
      'Exits with 3 when there are errors; warnings alone are no failure.',
  },
  {
    name: 'compile',
    summary: 'turn a spec into the files that a host needs',
    arguments: [SPEC],
    options: {
      target: TARGET,
      out: { type: 'string', value: 'DIR', description: 'where the files go', complete: 'file' },
      check: { type: 'boolean', description: 'write nothing; exit with 3 and a diff when something would change' },
      ...COMPILE_OPTIONS,
    },
    notes:
      'Needs no daemon. DIR then holds what this SPEC and these targets give: files of earlier compilations that are no\n' +
      'longer made are removed (gate.manifest.json lists them), files of others are never touched. User ids and random\n' +
      'ports, once chosen, stay in gate.lock.json beside SPEC: keep the two together.',
  },
  {
    name: 'plan',
    summary: 'show what apply would change on this host',
    arguments: [HOST_SPEC],
    options: { lock: LOCK },
    notes:
      'SPEC is /etc/gate/gate.toml when it is not given. Changes nothing. Exits with 3 when there is something to do, 0 when\n' +
      'there is nothing, 1 when it cannot be done.',
  },
  {
    name: 'apply',
    summary: 'make this host what a spec says',
    arguments: [HOST_SPEC],
    options: { yes: YES, wait: WAIT, timeout: TIMEOUT, lock: LOCK },
    notes:
      'SPEC is /etc/gate/gate.toml when it is not given. On a terminal it asks first. Only what changed restarts; when a unit does\n' +
      'not start in time, the generation before runs again.',
  },
  {
    name: 'rollback',
    summary: 'make an older generation run again',
    arguments: [{ name: 'GENERATION', optional: true }],
    options: { yes: YES, wait: WAIT, timeout: TIMEOUT, instance: INSTANCE },
    notes: 'Without GENERATION the one before. Units and images go back; data, keys and usage never do.',
  },
  {
    name: 'generations',
    summary: 'list what was applied to this host',
    arguments: [],
    options: { instance: INSTANCE },
  },
  {
    name: 'uninstall',
    summary: 'take back everything that apply made on this host',
    arguments: [],
    options: {
      purge: { type: 'boolean', description: 'also volumes, models, keys and usage' },
      yes: YES,
      wait: WAIT,
      timeout: TIMEOUT,
      instance: INSTANCE,
    },
    notes:
      'What somebody changed since stays and is named, and so do, without --purge, volumes, models and the database.',
  },
  {
    name: 'explain',
    summary: 'show which lines of a spec a line of the output comes from',
    arguments: [SPEC, { name: 'PATH', complete: 'file' }],
    options: COMPILE_OPTIONS,
    notes:
      'PATH is a file below the output directory or its place on the host, with or without ":LINE":\n' +
      'quadlet/users/40000/gate-qwen.container:12, /etc/containers/systemd/users/40000/gate-qwen.container',
  },
  {
    name: 'init',
    summary: 'write a first spec, after a few questions',
    arguments: [{ name: 'FILE', optional: true, complete: 'file' }],
    options: {
      yes: { type: 'boolean', short: 'y', description: 'ask nothing: options and defaults only' },
      domain: { type: 'string', value: 'NAME', description: 'domain of the gateway and its apps (none)' },
      profile: {
        type: 'string',
        value: 'NAME',
        description: 'size of the machine (desktop)',
        complete: ['desktop', 'small-vps', 'medium-vps', 'large-vps'],
      },
      gpu: {
        type: 'string',
        value: 'KIND',
        description: 'GPU of the backends (none)',
        complete: ['nvidia', 'amd', 'vulkan', 'none'],
      },
      upstream: { type: 'string', multiple: true, value: 'PROVIDER', description: 'an upstream; more than once' },
      backend: {
        type: 'string',
        multiple: true,
        value: 'NAME=ENGINE:MODEL',
        description: 'a local engine: vllm, llama-cpp, ollama, open-webui; more than once',
      },
      image: {
        type: 'string',
        multiple: true,
        value: 'NAME=IMAGE',
        description: 'image of a backend, as registry/name@sha256:…; more than once (the usual one, by tag)',
      },
      force: { type: 'boolean', description: 'overwrite FILE' },
    },
    notes:
      'FILE is gate.toml when it is not given. The spec that is written compiles. gate.schema.json is written beside\n' +
      'it and tells editors what a spec can say.',
  },
  {
    name: 'doctor',
    summary: 'look at the host, the daemon and the backends, and say what is wrong and what to do',
    arguments: [{ ...SPEC, optional: true }],
    options: {
      bundle: {
        type: 'string',
        value: 'FILE.tar.gz',
        description: 'write an archive for a bug report as well, without secrets',
        complete: 'file',
      },
      ...COMPILE_OPTIONS,
    },
    notes:
      'Changes nothing. SPEC is /etc/gate/gate.toml when it is not given. An ordinary user sees less than root, and is told what.\n' +
      'Exits with 3 when a check failed; warnings alone are no failure.',
  },
  {
    name: 'completion',
    summary: 'print a completion script: bash, zsh or fish',
    arguments: [{ name: 'SHELL', complete: ['bash', 'zsh', 'fish'] }],
    options: {},
    notes:
      'bash: source <(gatectl completion bash)\n' +
      'zsh:  source <(gatectl completion zsh), after compinit\n' +
      'fish: gatectl completion fish | source',
  },
  {
    name: 'complete',
    hidden: true,
    summary: 'print the words that a completion script asks for: config-key, token-id, backend-name',
    arguments: [{ name: 'WHAT' }],
    options: {},
  },
] as const satisfies readonly CommandEntry[]

export type CommandName = (typeof TABLE)[number]['name']
export type Command = CommandEntry & { readonly name: CommandName }

/** Everything that gatectl can do: the help, the completions and the parser are made from this table. */
export const COMMANDS: readonly Command[] = TABLE

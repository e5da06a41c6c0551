/**
 * Every code that gatectl and the admin API fail with, listed once by who says it. Codes are stable, messages are not.
 * What a client of the gateway itself is refused with is in errors.ts.
 */

/** What gatectl finds out by itself. `status` is the one in its JSON; the exit code is 1 where none is named. */
export const GATECTL_CODES = {
  USAGE: { status: 400, exit: 2, meaning: 'the command line cannot be understood' },
  FILE_UNREADABLE: { status: 400, meaning: 'a file that was named cannot be read' },
  FILE_EXISTS: { status: 409, meaning: 'a file that would be overwritten already exists' },
  FILE_NOT_WRITTEN: { status: 400, meaning: 'a file cannot be written' },
  FOREIGN_FILE: { status: 409, meaning: 'a file that gatectl did not make is in the way' },
  INVALID_SPEC: { status: 400, meaning: 'the spec has errors' },
  INVALID_LAYOUT: { status: 400, meaning: 'the file of --layout has errors' },
  INVALID_SETTINGS: { status: 400, meaning: 'the file of --settings has errors' },
  INVALID_MANIFEST: { status: 400, meaning: 'the list of what an output directory holds cannot be read' },
  BACKUP_UNUSABLE: { status: 400, meaning: 'a backup does not open, is damaged, or is of a newer version' },
  BACKUP_FAILED: { status: 500, meaning: 'a backup could not be written or restored' },
  AMBIGUOUS_KEY: { status: 409, meaning: 'more than one key has this name or beginning' },
  NO_SUCH_OUTPUT: { status: 404, meaning: 'nothing made from the spec has this path' },
  NO_DAEMON: { status: 503, meaning: 'no gate-daemon answers' },
  NO_GATEWAY: { status: 503, meaning: 'no gateway answers at this address, or it refuses the key' },
  NOT_SIGNED_IN: { status: 401, meaning: 'the gateway does not know you, or has ended your sign-in' },
  SIGN_IN_FAILED: { status: 403, meaning: 'the gateway did not let you in' },
  NO_PERMISSION: { status: 503, meaning: 'this user may not open the admin socket, or a shell' },
  NO_SHELL: { status: 503, meaning: 'no shell can be opened in this backend: its shell socket is not as it should be' },
  RELAY_REFUSED: { status: 409, meaning: 'a relay of this host refuses what it was asked' },
  CONNECTION_LOST: { status: 503, meaning: 'the connection to the daemon, or to a shell, broke' },
  BAD_ANSWER: { status: 503, meaning: 'the program on the socket is not the one that should be there' },
} as const satisfies Record<string, { status: number; exit?: 1 | 2 | 3; meaning: string }>
export type GatectlCode = keyof typeof GATECTL_CODES

/** Refusals of the admin API. */
export const ADMIN_CODES = {
  BAD_REQUEST: { status: 400, meaning: 'a part of the request is missing or wrong' },
  INVALID_JSON: { status: 400, meaning: 'the body is not JSON' },
  UNKNOWN_ROUTE: { status: 404, meaning: 'there is no such path; gatectl and the daemon may differ in version' },
  TOKEN_NOT_FOUND: { status: 404, meaning: 'no key of this id is in force' },
  TEXT_NOT_FOUND: { status: 404, meaning: 'nothing is kept of the text of this request' },
  BACKEND_NOT_FOUND: { status: 404, meaning: 'there is no backend of this name' },
  UPSTREAM_NOT_FOUND: { status: 404, meaning: 'there is no upstream of this name' },
  BUDGET_NOT_FOUND: { status: 404, meaning: 'there is no budget of this name' },
  CATEGORY_NOT_FOUND: { status: 404, meaning: 'there is no category of this name' },
  MODEL_NOT_FOUND: { status: 404, meaning: 'there is no virtual model of this name' },
  CERTIFICATE_NOT_FOUND: { status: 404, meaning: 'the daemon serves no certificate of this name' },
  METHOD_NOT_ALLOWED: { status: 405, meaning: 'the path does not take this method' },
  ALREADY_EXISTS: { status: 409, meaning: 'there is one of this name already' },
  NOT_AT_RUN_TIME: { status: 409, meaning: 'it was not made at run time, so it cannot be changed or removed here' },
  IN_USE: { status: 409, meaning: 'something else still uses it' },
  NO_AGENT: { status: 409, meaning: 'the backend has no agent' },
  KEYRING_CLOSED: { status: 409, meaning: 'the keyring, which seals what is kept, does not open' },
  BODY_TOO_LARGE: { status: 413, meaning: 'the body is larger than 1 MiB' },
  INTERNAL: { status: 500, meaning: 'the daemon failed; its log says why' },
  BACKEND_FAILED: { status: 502, meaning: 'the backend did not start or stop' },
  RENEWAL_FAILED: {
    status: 502,
    meaning: 'no new certificate could be got; the one before, if there is one, is still served',
  },
  GIVEN_UP: { status: 503, meaning: 'the caller left before the work was done' },
  TOO_MANY_FOLLOWERS: { status: 503, meaning: 'too many clients follow a log' },
} as const satisfies Record<string, { status: number; meaning: string }>
export type AdminCode = keyof typeof ADMIN_CODES

/** What an agent of a backend says; the admin API hands it on with this status. */
export const AGENT_CODES = {
  PEER_REFUSED: { status: 502, meaning: 'the caller is neither the gateway nor root, or may not open a shell' },
  BAD_REQUEST: { status: 502, meaning: 'the agent does not understand the request' },
  REQUEST_TOO_LONG: { status: 502, meaning: 'the request is longer than an agent reads' },
  UNKNOWN_OP: { status: 502, meaning: 'the agent does not know this operation' },
  NOT_ALLOWED: { status: 502, meaning: "the unit or image is not this backend's" },
  NOT_RUNNING: { status: 409, meaning: 'the container does not run, so no shell can be opened in it' },
  TIMEOUT: { status: 504, meaning: 'it took too long' },
  FAILED: { status: 502, meaning: 'systemctl, podman or journalctl failed; the message is what it said' },
  INTERNAL: { status: 502, meaning: 'the agent failed; its journal says why' },
} as const satisfies Record<string, { status: number; meaning: string }>
export type AgentCode = keyof typeof AGENT_CODES

/** What the daemon finds out about an agent. */
export const NO_AGENT_CODES = {
  AGENT_UNREACHABLE: { status: 503, meaning: 'no agent answers on its socket' },
  CONNECTION_LOST: { status: 502, meaning: 'the agent closed the connection before its answer was complete' },
  BAD_ANSWER: { status: 502, meaning: 'what the agent answered cannot be understood' },
} as const satisfies Record<string, { status: number; meaning: string }>

/** What can be wrong with configuration; `status` is that of a refused edit. */
export const CONFIG_CODES = {
  UNKNOWN_KEY: { status: 404, meaning: 'there is no such key' },
  WRONG_TYPE: { status: 422, meaning: 'the value has the wrong type for this key' },
  INVALID_VALUE: { status: 422, meaning: 'the value is not allowed' },
  INVALID_NAME: { status: 422, meaning: 'the name of an upstream, model or backend is not allowed' },
  MISSING_KEY: { status: 422, meaning: 'a key that is needed is missing' },
  UNKNOWN_VARIABLE: { status: 422, meaning: 'a variable of the environment belongs to no key' },
  UNSET_VARIABLE: { status: 422, meaning: 'a variable that a value names is not set' },
  SET_TWICE: { status: 422, meaning: 'two variables or files set one key' },
  UNREADABLE_FILE: { status: 422, meaning: 'a file cannot be read' },
  INVALID_TOML: { status: 422, meaning: 'a file is not TOML' },
  INVALID_JSON: { status: 422, meaning: 'a file is not JSON' },
  TORN_FILE: { status: 422, meaning: 'a file was cut off while it was written' },
  DECLARED_SECRET: { status: 422, meaning: 'a secret is in the declared layer, which others can read' },
  UNKNOWN_UPSTREAM: { status: 422, meaning: 'a model names an upstream that does not exist' },
  MISSING_BASE_URL: { status: 422, meaning: 'the provider has no default address, and none is given' },
  MISSING_AGENT: { status: 422, meaning: 'a backend needs an agent, and none is given' },
  OPEN_TO_ALL: { status: 422, meaning: 'the gateway would answer any client without a key' },
  CONFLICTING_NAMES: { status: 422, meaning: 'two names share one variable, or differ only in case' },
  KEY_WITHHELD: { status: 409, meaning: 'a key is for another address than the upstream has, so it is not sent' },
  SEALED_ELSEWHERE: { status: 422, meaning: 'a sealed secret does not open here' },
  SHADOWED: { status: 409, meaning: 'the environment hides the value' },
  SOCKET_DECIDES: { status: 409, meaning: 'systemd opens the socket, so its unit decides the address' },
  PLACEHOLDER: { status: 422, meaning: 'an example was not replaced by a value' },
  NOT_EDITABLE: { status: 409, meaning: 'the key cannot be changed here' },
  BROKEN_FILE: { status: 409, meaning: 'the runtime file has errors, which must be fixed first' },
  CHANGED_ON_DISK: { status: 409, meaning: 'another program changed the runtime file' },
  WRITE_FAILED: { status: 507, meaning: 'the runtime file cannot be written' },
  NOT_PRINTABLE: { status: 422, meaning: 'what was set cannot be written in this format' },
  MORE_PROBLEMS: { status: 422, meaning: 'there are more problems than are listed' },
} as const satisfies Record<string, { status: number; meaning: string }>
export type ConfigCode = keyof typeof CONFIG_CODES

/** What can go wrong with the host under plan, apply, rollback and uninstall. */
export const HOST_CODES = {
  NOT_ROOT: { meaning: 'the command needs root' },
  BUSY: { meaning: 'another gatectl is working on this host' },
  NO_PODMAN: { meaning: 'backends need podman, which is not installed' },
  NO_PROGRAM: { meaning: 'a program that the spec needs is not installed' },
  WRONG_VERSION: { meaning: 'the version of podman or systemd is not supported' },
  NOT_READABLE: { meaning: 'a file cannot be read' },
  NOT_WRITABLE: { meaning: 'a file cannot be written' },
  DISK_FULL: { meaning: 'no space is left on a file system' },
  FOREIGN_FILE: { meaning: 'a file or link that gatectl did not make is in the way' },
  ACCOUNT_CONFLICT: { meaning: 'a user, a group or an id is already taken' },
  SUBID_CONFLICT: { meaning: 'subordinate ids are already taken' },
  PORT_TAKEN: { meaning: 'another program listens on a port' },
  MISSING_SECRET: { meaning: 'a credential or file with a secret is missing' },
  INVALID_SECRET: { meaning: 'a credential or file with a secret is empty or has more than one line' },
  MISSING_MODEL: { meaning: 'a model that a backend starts from is not on this host' },
  UNSAFE_MODELS: { meaning: 'something in the place of the models cannot be made the property of root' },
  UNSAFE_MOUNT: { meaning: 'an account of Gate could lead a container to another file of the host' },
  MISSING_IMAGE: { meaning: 'an image is missing and cannot be pulled' },
  INVALID_FILE: { meaning: 'a validator rejects what was compiled' },
  UNIT_FAILED: { meaning: 'a unit did not start in time' },
  PROGRAM_FAILED: { meaning: 'a program failed' },
  NO_CA: { meaning: 'there is no internal CA yet' },
  CA_REFUSES: { meaning: 'the internal CA does not sign this' },
  NO_CERTIFICATE: { meaning: 'the internal CA has not issued this certificate' },
  NO_GENERATION: { meaning: 'there is no such generation' },
  BAD_RECORD: { meaning: 'the record of an earlier apply cannot be read' },
} as const satisfies Record<string, { meaning: string }>
export type HostCode = keyof typeof HOST_CODES

import type { SpecPath } from '../../schemas/spec/path.ts'

/** What people write who come from Compose files and model swappers, and what says the same here. */

const OF_BACKENDS: Readonly<Record<string, string>> = {
  ports: 'write listen = "tcp", port (on the loopback of the host) and container_port',
  command: 'write args; the engine has its own command',
  entrypoint: 'the engine has its own; write engine = "custom" and args for another image',
  depends_on: 'every backend starts by itself and again until what it needs is there; links says what it reaches',
  restart: 'a backend that fails is started again; idle_stop makes it start on demand',
  privileged: 'no container is privileged; gpu, mounts, ulimits and user give single rights',
  cap_add: 'containers get no capabilities; user = "image" keeps those of entry points',
  devices: 'write gpu = { kind = "nvidia", devices = ["0"] }',
  runtime: 'write gpu = { kind = "nvidia" }',
  deploy: 'write gpu, memory and cpus',
  env: 'write environment, and secrets for what is secret',
  env_file: 'write environment, and secrets for what is secret',
  volume: 'write mounts for directories of the host, and volumes for data of the container',
  network_mode: 'write network = true for the internet, and links for other backends',
  networks: 'write network = true for the internet, and links for other backends',
  extra_hosts: 'write links for other backends',
  container_name: 'the name of the backend is its name',
  hostname: 'the name of the backend is its name',
  healthcheck: 'write health = { command = [...] }',
  build: 'build the image first, and name it in image; image_archive takes it from a file',
  shm_size: 'write shm',
  ipc: 'write shm = "8GiB"',
  mem_limit: 'write memory',
  tty: 'gatectl backend shell opens a terminal',
  configs: 'write config_files',
  ttl: 'write idle_stop',
  swap: 'backends of one group take turns; those with the same together run side by side',
  exclusive: 'backends of one group take turns; those with the same together run side by side',
  persistent: 'a backend without group and idle_stop is never stopped',
}

const OF_TOP: Readonly<Record<string, string>> = {
  groups:
    'write group = "name" in each backend, of which one runs at a time; the same together in those that fit side by side, and priority in those that go first',
  services: 'write [backends.NAME]',
  volumes: 'write volumes in the backend',
  networks: 'backends have no network unless network = true; links joins two',
  macros: 'write what backends share as [defaults.backend]',
}

/** What to write in place of a key that does not exist here. */
export function keyHabit(path: SpecPath): string | undefined {
  const [top, , key] = path
  const table = path.length === 1 ? OF_TOP : path.length === 3 && top === 'backends' ? OF_BACKENDS : {}
  const word = String(path.length === 1 ? top : key)
  return Object.hasOwn(table, word) ? table[word] : undefined
}

/** What to write in place of a value in the form of a Compose file. */
export function valueHabit(path: SpecPath, value: unknown): string | undefined {
  if (path[0] !== 'backends' || typeof value !== 'string') return undefined
  const key = path[2]
  const [, host, inside] = /^(?:[\d.]+:)?(\d{1,5}):(\d{1,5})$/.exec(value) ?? []
  if ((key === 'port' || key === 'container_port') && host !== undefined)
    return `write port = ${host} (on the loopback of the host) and container_port = ${inside}`
  const [, source = '', path_, mode = ''] = /^([^:]+):(\/[^:]+)(?::([a-zA-Z,]+))?$/.exec(value) ?? []
  if (key !== 'volumes' && key !== 'mounts') return undefined
  if (path_ === undefined) return `write mounts = [{ source = "/srv/data", path = "/data" }]`
  if (!source.startsWith('/') && !source.startsWith('.'))
    return `write volumes = [{ name = "${source}", path = "${path_}" }]`
  const writable = mode.split(',').includes('ro') ? '' : ', read_only = false'
  return `write mounts = [{ source = "${source}", path = "${path_}"${writable} }]`
}

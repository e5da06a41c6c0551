import { z } from 'zod'
import { pricePerHour } from '../config/money.ts'
import { NAME, NAME_FORM, port } from '../config/values.ts'
import { ENGINES, GPU_KINDS } from '../words/engines.ts'
import { boundedBytes, boundedDuration, count, cpuShare } from './bounded.ts'
import { configFile, files, hub, mount, router, timeZone, ulimits, volume } from './container.ts'
import { absolutePath, ENVIRONMENT_NAME, flag, IMAGE, LABEL, randomPort, secret } from './values.ts'

/** Requests at a time, or waiting. */
const MOST = 1_000_000
/** Of 64-bit Linux, proc_sys_kernel(5). */
const MOST_PIDS = 4_194_304
const MODEL = /^[A-Za-z0-9][A-Za-z0-9._:+-]*(?:\/[A-Za-z0-9][A-Za-z0-9._:+-]*)*$/

const gpu = z.strictObject({
  kind: z.enum(GPU_KINDS).meta({ description: 'nvidia: by CDI; amd: /dev/kfd and /dev/dri; vulkan: /dev/dri; none.' }),
  devices: z
    .array(
      z.string().regex(/^(?!0\d)[A-Za-z0-9][A-Za-z0-9:._-]*$/, 'write "all", an index, a UUID or a name in /dev/dri'),
    )
    .min(1)
    .default(['all'])
    .meta({ description: 'nvidia: CDI names ("0", a UUID, "all"); amd, vulkan: names in /dev/dri, or "all".' }),
})

const health = z.strictObject({
  command: z
    .array(z.string())
    .min(1)
    .optional()
    .meta({ description: 'Command and arguments that succeed once the engine answers; by engine when absent.' }),
  interval: boundedDuration(
    'Time between two checks of an engine that runs. When retries in a row fail, it is killed and started again.',
    '100ms',
    '1d',
  ).default('30s'),
  start_interval: boundedDuration(
    'Time between two checks until the first that succeeds; 2s when absent, or interval when that is less.',
    '100ms',
    '1d',
  ).optional(),
  timeout: boundedDuration('Longest wait for one check.', '1s', '1h').default('5s'),
  retries: count(1000).default(3).meta({ description: 'Failures in a row until unhealthy.' }),
  start_period: boundedDuration(
    'Longest time until the first check that succeeds; by engine when absent.',
    '0s',
    '7d',
  ).optional(),
})

/** One entry of `backends`: an engine in a rootless container of an unprivileged user. */
export const backend = z.strictObject({
  engine: z.enum(ENGINES).meta({ description: 'What runs in the container; decides arguments, health check, socket.' }),
  image: z.string().regex(IMAGE, 'write registry/name@sha256:digest').meta({
    description: 'Container image, by digest; a tag is a warning.',
  }),
  image_archive: absolutePath(
    'OCI or docker archive on the host that apply loads the image from, instead of a pull.',
  ).optional(),
  model: z
    .string()
    .max(255)
    .regex(MODEL, 'write a model id such as "Qwen/Qwen3-8B-FP8" or a file name below the models directory')
    .optional()
    .meta({
      description:
        'Model to serve: a path below the models directory, and the name clients see. Of a GGUF in parts, the first: the others come with it.',
    }),
  files,
  hub: hub.optional().meta({
    description:
      'The engine fetches model by itself at its start, into a volume that lasts, and may reach the internet for that. {} for a model that anyone may have.',
  }),
  router: router.optional().meta({
    description: 'llama-cpp, in place of model: serve every model of a directory, loaded when it is asked for.',
  }),
  gpu: gpu.prefault({ kind: 'none' }).meta({ description: 'GPU that the container gets.' }),
  idle_stop: boundedDuration(
    'Stop after this long without a connection and start on the next one; absent: always on.',
    '1s',
  ).optional(),
  group: z.string().regex(NAME, NAME_FORM).optional().meta({
    description:
      'At most one backend of a group runs at a time, except those with the same together; its members start on demand, with or without idle_stop.',
  }),
  together: z.string().regex(NAME, NAME_FORM).optional().meta({
    description: 'Backends of its group with the same word run side by side, and give way to others as one.',
  }),
  priority: z.int().min(0).max(100).default(0).meta({
    description: 'Within its group, requests for the backend with the highest priority are served first.',
  }),
  preload: flag(false, 'Start it with the host, before the first request; for idle_stop and group.'),
  max_concurrent: count(MOST)
    .optional()
    .meta({ description: 'Requests that it answers at a time, others wait; no limit when absent.' }),
  max_waiting: count(MOST).default(100).meta({ description: 'Requests that may wait for it; more are refused.' }),
  wait_timeout: boundedDuration(
    'Longest wait for a free place, or until another backend of the group has finished its requests.',
  ).default('120s'),
  price_per_hour: pricePerHour,
  memory: boundedBytes('Memory the container may use; no limit when absent.', '16MiB').optional(),
  cpus: cpuShare(1024).optional().meta({ description: 'CPU share; no limit when absent.', unit: 'CPUs' }),
  pids: z
    .int()
    .min(16)
    .max(MOST_PIDS)
    .default(4096)
    .meta({ description: 'Processes and threads the container may have.' }),
  shm: boundedBytes('Size of /dev/shm; by engine when absent.', '64KiB').optional(),
  uid: z
    .int()
    .min(1000)
    .max(59_999)
    .optional()
    .meta({ description: 'User id; allocated in gate.lock.json when absent.' }),
  listen: z.enum(['unix', 'tcp']).optional().meta({
    description:
      'Unix socket in a directory of its own, or a TCP port that only its own network has; by engine when absent. The gateway reaches either by a Unix socket.',
  }),
  port: randomPort.optional().meta({
    description:
      'Loopback port on the host, for other programs: any local user can call it, and only the backend answers there. Absent: none; expose, links of others and open-webui get a random one.',
  }),
  container_port: port.min(1).optional().meta({ description: 'Port inside the container; by engine when absent.' }),
  network: flag(false, 'Whether the container may reach the internet and the gateway.'),
  links: z.array(z.string()).default([]).meta({
    description:
      'Backends that it reaches at NAME:PORT, with the port of that backend; {NAME} in args and environment stands for that. Needs network.',
  }),
  api_key: secret('Key the daemon presents; made at apply when absent and the engine can check one.').optional(),
  expose: z
    .string()
    .regex(LABEL, 'write one DNS label such as "webui"')
    .optional()
    .meta({ description: 'Host name below gate.domain under which the proxy serves this backend to browsers.' }),
  args: z.array(z.string().min(1, 'podman drops empty arguments and all that follow; leave it out')).default([]).meta({
    description:
      'More arguments of the engine. What they name below /models is mounted. custom: {socket}, {port} and {model} are filled in.',
  }),
  environment: z
    .record(z.string().regex(ENVIRONMENT_NAME, 'write an environment name'), z.string())
    .default({})
    .meta({ description: 'More environment of the container. Never a secret: it can be read from outside.' }),
  secrets: z
    .record(z.string().regex(ENVIRONMENT_NAME, 'write an environment name'), secret('Secret given as environment.'))
    .default({})
    .meta({ description: 'Environment of the container that is secret, by name.' }),
  volumes: z.array(volume).default([]).meta({ description: 'More volumes that survive the container.' }),
  mounts: z.array(mount).default([]).meta({ description: 'Files and directories of the host, read-only by default.' }),
  config_files: z.array(configFile).default([]).meta({ description: 'Files that the spec itself holds or names.' }),
  user: z.enum(['engine', 'image']).optional().meta({
    description:
      'Who runs inside, without rights outside either way: user 1000 (engine), or the user of the image, root included (image); by engine when absent.',
  }),
  ulimits: ulimits.prefault({}).meta({ description: 'Limits of processes; those of the host when absent.' }),
  time_zone: timeZone.optional(),
  read_only: flag(true, 'Whether the root file system of the container is read-only.'),
  notify: z
    .enum(['healthy', 'started'])
    .default('healthy')
    .meta({ description: 'When the unit counts as started: at the first successful health check, or at once.' }),
  health: health.prefault({}).meta({ description: 'Health check.' }),
  pull_timeout: boundedDuration(
    'Time a pull may take at start; 0s: never pulled at start, apply does it before.',
    '0s',
    '7d',
  ).default('0s'),
  start_timeout: boundedDuration(
    'Longest start; health.start_period + pull_timeout + 60s when absent.',
    '1s',
    '15d',
  ).optional(),
  stop_timeout: boundedDuration('Time to finish requests when stopping.', '0s', '1d').default('30s'),
})

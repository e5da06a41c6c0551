import { z } from 'zod'
import type { Generation } from '../../schemas/deploy/generation.ts'
import { codeOf } from '../../system/error-code.ts'
import type { Account, Accounts } from '../accounts.ts'
import { asUser } from '../as-user.ts'
import type { Host, HostView } from '../host.ts'
import { HostError, reasonOf } from '../problem.ts'
import type { Ran } from '../program.ts'

export type WantedImage = Generation['images'][number]

/** `images.json` of containers/storage; only what is read of it. */
const storedImages = z.array(
  z.object({
    names: z.array(z.string()).nullish(),
    digest: z.string().nullish(),
    'big-data-digests': z.record(z.string(), z.string()).nullish(),
  }),
)

/**
 * The images that their users do not have yet. podman's own list is read first, which takes no process; podman is asked
 * only about what is not in it.
 */
export async function missingImages(
  host: HostView,
  wanted: readonly WantedImage[],
  accounts: Accounts,
): Promise<WantedImage[]> {
  const missing = await Promise.all(
    wanted.map(async (image) => {
      const account = accounts.users.get(image.user)
      if (account === undefined) return true
      const stored = readStored(host, account)
      if (stored === undefined || stored.length === 0) return true
      return !isStored(stored, image.image) && !(await hasImage(host, account, image.image))
    }),
  )
  return wanted.filter((_, i) => missing[i])
}

/** What podman says about it. */
async function hasImage(host: HostView, account: Account, image: string): Promise<boolean> {
  return (await host.ask(asUser(account, ['podman', 'image', 'exists', image]))).code === 0
}

type Stored = z.output<typeof storedImages>

function readStored(host: HostView, { home }: Account): Stored | undefined {
  for (const driver of ['overlay', 'vfs', 'btrfs']) {
    const text = host.readUntrusted(home, `.local/share/containers/storage/${driver}-images/images.json`)
    if (text === undefined) continue
    try {
      return storedImages.safeParse(JSON.parse(text)).data
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
    }
  }
  return undefined
}

function isStored(stored: Stored, image: string): boolean {
  const [name = '', digest] = image.split('@')
  const repository = repositoryOf(name)
  return stored.some((entry) => {
    const names = entry.names ?? []
    if (digest === undefined) return names.includes(name)
    const digests = [entry.digest, ...Object.values(entry['big-data-digests'] ?? {})]
    return digests.includes(digest) && names.some((known) => repositoryOf(known) === repository)
  })
}

/** A name without tag and digest. No pattern: the list is its user's, and a long name must not take long. */
function repositoryOf(image: string): string {
  const [name = ''] = image.split('@', 1)
  const colon = name.lastIndexOf(':')
  return colon > name.lastIndexOf('/') ? name.slice(0, colon) : name
}

const PULL_TIMEOUT_MS = 4 * 3_600_000

/**
 * Gets an image for its user, from its archive or its registry.
 * @param say told of each layer that a pull begins with
 * @throws HostError MISSING_IMAGE
 */
export async function fetchImage(
  host: Host,
  account: Account,
  { image, archive }: WantedImage,
  say: (progress: string) => void,
): Promise<void> {
  if (await hasImage(host, account, image)) return // podman's name for it may differ from ours
  if (archive === undefined) {
    // what was pulled is stored under its digest
    const progress = pullProgress(say)
    const take = { from: 'stderr', line: progress.take } as const
    const pulled = await host.run(asUser(account, ['podman', 'pull', image]), { timeoutMs: PULL_TIMEOUT_MS, take })
    if (pulled.code === 0) return
    throw missing(`${image} for ${account.name} cannot be pulled`, progress.lastLines() + pulled.stderr, PULL_HINT)
  }
  if (host.status(archive) === undefined)
    throw missing(`${archive}, the archive of ${image}, does not exist`, '', 'put it there, or correct image_archive')
  const loaded = await loadArchive(host, account, archive)
  if (loaded.code !== 0) throw missing(`${archive} cannot be loaded for ${account.name}`, loaded.stderr, LOAD_HINT)
  if (await hasImage(host, account, image)) return
  await nameImage(host, account, image, loaded.stdout)
}

/** By standard input: the archive may be readable by root alone. Then it must be the archive, not what a link leads to. */
async function loadArchive(host: Host, account: Account, archive: string): Promise<Ran> {
  const load = asUser(account, ['podman', 'load', '--quiet'])
  try {
    return await host.run(load, { inputFile: archive, timeoutMs: PULL_TIMEOUT_MS })
  } catch (error) {
    if (codeOf(error) === '') throw error
    throw missing(`${archive} cannot be opened: ${reasonOf(error).replace(`, ${archive}`, '')}`, '', ARCHIVE_HINT)
  }
}

/** An archive carries its own names: what has the digest that the spec names gets the spec's name, too. */
async function nameImage(host: Host, account: Account, image: string, loaded: string): Promise<void> {
  const [name = '', digest] = image.split('@')
  const names = [...loaded.matchAll(/(?:Loaded image|Getting image source)[^:]*: *(\S+)/g)].map(
    ([, found = '']) => found,
  )
  for (const found of digest === undefined ? [] : names) {
    const shown = await host.ask(asUser(account, ['podman', 'image', 'inspect', '--format', '{{.Digest}}', found]))
    if (shown.stdout.trim() !== digest) continue
    await host.run(asUser(account, ['podman', 'tag', found, `${repositoryOf(name)}:gate`]))
    if (await hasImage(host, account, image)) return
  }
  throw missing(
    `the archive contains ${names.join(', ') || 'no image with a name'}, not ${image}`,
    '',
    'name in the spec what the archive holds: podman image inspect --format "{{.RepoDigests}}" shows it',
  )
}

const MOST_LINES = 50

/** What podman prints where it has no terminal: a line as it begins with each layer, and what goes wrong. */
function pullProgress(say: (progress: string) => void) {
  let layers = 0
  const lines: string[] = []
  return {
    async take(line: string): Promise<void> {
      lines.push(line)
      if (lines.length > MOST_LINES) lines.shift()
      const [, what, digest = '', skipped] =
        /^Copying (blob|config) (?:sha256:)?([0-9a-f]{12})\S*( skipped)?/.exec(line) ?? []
      if (what === 'blob') layers += 1
      if (what === 'config') say(`all ${layers} layers are here or on their way`)
      else if (what === 'blob') say(`layer ${layers} (${digest})${skipped === undefined ? '' : ', here already'}`)
      else if (line.startsWith('Trying to pull')) say('asking its registry')
      else if (line.startsWith('Writing manifest')) say('all layers are here')
    },
    lastLines: () => lines.map((line) => `${line}\n`).join(''),
  }
}

/** Removes images of generations that are gone. What is still in use stays. */
export async function removeImage(host: Host, account: Account, image: string): Promise<void> {
  await host.run(asUser(account, ['podman', 'image', 'rm', '--ignore', image]))
}

const PULL_HINT = 'look at the name, the digest, the network and the credentials of the registry; or give image_archive'
const ARCHIVE_HINT =
  'name the archive itself in image_archive: links are followed only in directories that no other account writes to'
const LOAD_HINT = 'it has to be what "podman save" or "podman save --format oci-archive" writes'

function missing(message: string, stderr: string, hint: string): HostError {
  const lines = stderr.trim().split('\n').filter(Boolean).slice(-10)
  const code = /no space left/i.test(stderr) ? 'DISK_FULL' : 'MISSING_IMAGE'
  return new HostError({ code, message, hint, ...(lines.length === 0 ? {} : { lines }) })
}

import { z } from 'zod'
import type { AgentRequest, Removal } from '../schemas/agent.ts'
import { AgentRefusal } from './agent-error.ts'
import { checkImage } from './allow-list.ts'
import type { Call } from './call.ts'
import { type Finished, runProgram } from './program.ts'

/** One question to podman, or one removal. */
const STEP_MS = 120_000

/**
 * Gets one image of the allow-list, or all, from the registry or the archive of the spec. One that is there already, by
 * digest, is not asked for again.
 * @throws AgentRefusal NOT_ALLOWED, FAILED
 */
export async function pullImages(
  { image }: Extract<AgentRequest, { readonly op: 'pull' }>,
  { allow, answer, signal }: Call,
): Promise<void> {
  if (image !== undefined) checkImage(allow, image)
  for (const wanted of image === undefined ? allow.images : [image]) {
    if (wanted.includes('@') && (await imageId(wanted, signal)) !== undefined) {
      await answer({ type: 'progress', message: `${wanted} is there` })
      continue
    }
    const { archive } = allow
    await answer({ type: 'progress', message: archive === undefined ? `pulling ${wanted}` : `loading ${archive}` })
    const errors: string[] = []
    const command = archive === undefined ? ['pull', '--', wanted] : ['load', `--input=${archive}`]
    const { code } = await runProgram('podman', command, signal, {
      from: 'stderr', // where podman tells how far it is
      line: async (line) => {
        if (line.startsWith('Error:')) errors.push(line)
        await answer({ type: 'progress', message: line.slice(0, LONGEST_PROGRESS) })
      },
    })
    if (code !== 0)
      throw new AgentRefusal('FAILED', errors.at(-1)?.slice(0, 2000) ?? `podman ${command[0]} failed with ${code}`)
    if (archive !== undefined && (await imageId(wanted, signal)) === undefined)
      throw new AgentRefusal(
        'FAILED',
        `${archive} does not contain ${wanted} under this name`,
        'gatectl apply names it',
      )
  }
}

const LONGEST_PROGRESS = 1000

/**
 * Removes containers of Gate in this account that are neither the backend's own nor running, then images that no
 * container uses and that the backend is not allowed to pull. Volumes stay.
 * @throws AgentRefusal FAILED
 */
export async function collectGarbage(
  { dry_run }: Extract<AgentRequest, { readonly op: 'gc' }>,
  { allow, answer, signal }: Call,
): Promise<void> {
  const remove = async (removal: Removal, ...args: readonly string[]) => {
    if (!dry_run) await podman(args, signal)
    await answer({ type: 'removed', ...removal })
  }
  for (const { Names, State } of await listContainers(signal))
    for (const name of ENDED.includes(State) && !Names.includes(allow.container) ? Names : [])
      await remove({ what: 'container', name }, 'container', 'rm', '--volumes', '--', name)
  const needed = await Promise.all(allow.images.map((image) => imageId(image, signal)))
  for (const { Id, Names, Containers } of await listImages(signal)) {
    if (Containers > 0 || needed.includes(Id)) continue
    // by id it goes only once it has a single name
    for (const name of Names.slice(1)) if (!dry_run) await podman(['image', 'untag', Id, name], signal)
    await remove({ what: 'image', name: Names[0] ?? Id }, 'image', 'rm', '--', Id)
  }
}

/** podman's words for a container that nothing runs in. */
const ENDED: readonly string[] = ['created', 'exited', 'stopped']

const names = z
  .array(z.string())
  .nullish()
  .transform((list) => list ?? [])
const containers = z.array(z.object({ Names: names, State: z.string() }))
const images = z.array(z.object({ Id: z.string(), Names: names, Containers: z.int().default(0) }))

async function listContainers(signal: AbortSignal) {
  const args = ['container', 'ls', '--all', '--filter=label=gate.managed', '--format=json']
  return containers.parse(JSON.parse(await podman(args, signal)))
}

async function listImages(signal: AbortSignal) {
  return images.parse(JSON.parse(await podman(['image', 'ls', '--no-trunc', '--format=json'], signal)))
}

/** @returns undefined when it is not there */
async function imageId(image: string, signal: AbortSignal): Promise<string | undefined> {
  const { code, stdout } = await ask(['image', 'inspect', '--format={{.Id}}', '--', image], signal)
  return code === 0 ? stdout.trim() : undefined
}

async function podman(args: readonly string[], signal: AbortSignal): Promise<string> {
  const { code, stdout, stderr } = await ask(args, signal)
  if (code === 0) return stdout
  throw new AgentRefusal('FAILED', stderr.split('\n').at(-1) || `podman ${args[0]} failed with ${code}`)
}

function ask(args: readonly string[], signal: AbortSignal): Promise<Finished> {
  return runProgram('podman', args, AbortSignal.any([signal, AbortSignal.timeout(STEP_MS)]))
}

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { z } from 'zod'

const listing = z.tuple([z.object({ size: z.number(), unpackedSize: z.number(), entryCount: z.number() })])

/** What `npm pack` would publish, without its dependencies. */
export type PackageSize = { readonly packedBytes: number; readonly unpackedBytes: number; readonly files: number }

/** Builds the package and asks npm for its size; writes no archive. @throws Error with npm's output when that fails */
export function packageSize(): PackageSize {
  const argv = ['pack', '--dry-run', '--json', '--loglevel=error']
  const { status, stdout, stderr } = spawnSync('npm', argv, { cwd: join(import.meta.dirname, '..'), encoding: 'utf8' })
  if (status !== 0) throw new Error(`npm pack failed (${status}): ${stderr.slice(-2_000)}`)
  const [{ size, unpackedSize, entryCount }] = listing.parse(JSON.parse(stdout))
  return { packedBytes: size, unpackedBytes: unpackedSize, files: entryCount }
}

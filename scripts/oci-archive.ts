import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

/** How containers of an image run, in the words of the image specification. */
export type ImageConfig = {
  readonly Entrypoint: readonly string[]
  readonly Cmd?: readonly string[]
  readonly Env: readonly string[]
  readonly User?: string
  readonly WorkingDir?: string
  readonly StopSignal?: string
  readonly ExposedPorts?: Readonly<Record<string, object>>
  readonly Volumes?: Readonly<Record<string, object>>
  readonly Labels?: Readonly<Record<string, string>>
}

export type Archive = {
  /** `localhost/gate:1.2.3`, what `podman load` calls the image. */
  readonly name: string
  /** `amd64`, `arm64`, as Go has it. */
  readonly architecture: string
  readonly config: ImageConfig
  /** The tree that becomes the only layer. */
  readonly root: string
  /** Owners other than root, by path below `root`; `uid:gid`. */
  readonly owners?: Readonly<Record<string, number>>
  /** Smaller and slower to write. */
  readonly compress?: boolean
}

/**
 * Writes an image as an OCI archive, for `podman load` and `skopeo copy oci-archive:…`. The same tree gives the same
 * bytes. Needs tar(1), but no container engine and no registry.
 * @returns the digest of the manifest, `sha256:…`
 * @see https://github.com/opencontainers/image-spec/blob/main/image-layout.md
 */
export function writeOciArchive(file: string, { name, architecture, config, root, owners, compress }: Archive): string {
  const work = mkdtempSync(join(tmpdir(), 'gate-oci-'))
  try {
    const blobs = join(work, 'layout/blobs/sha256')
    mkdirSync(blobs, { recursive: true })
    const blob = (mediaType: string, bytes: Buffer) => {
      const hex = sha256(bytes)
      writeFileSync(join(blobs, hex), bytes)
      return { mediaType: `application/vnd.oci.image.${mediaType}`, digest: `sha256:${hex}`, size: bytes.length }
    }
    const json = (mediaType: string, value: unknown) => blob(mediaType, Buffer.from(JSON.stringify(value)))
    const tree = readFileSync(packTree(root, owners ?? {}, work))
    const layer = compress ? blob('layer.v1.tar+gzip', gzipSync(tree, { level: 6 })) : blob('layer.v1.tar', tree)
    const description = json('config.v1+json', {
      architecture,
      os: 'linux',
      created: '1970-01-01T00:00:00Z',
      config,
      rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(tree)}`] },
    })
    const mediaType = 'application/vnd.oci.image.manifest.v1+json'
    const manifest = json('manifest.v1+json', { schemaVersion: 2, mediaType, config: description, layers: [layer] })
    const annotations = { 'org.opencontainers.image.ref.name': name }
    const index = { schemaVersion: 2, manifests: [{ ...manifest, annotations }] }
    writeFileSync(join(work, 'layout/index.json'), JSON.stringify(index))
    writeFileSync(join(work, 'layout/oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
    tar(['-C', join(work, 'layout'), '-cf', file, '.'])
    return manifest.digest
  } finally {
    rmSync(work, { recursive: true })
  }
}

/** What has another owner is left out at first and added as its owner's. */
function packTree(root: string, owners: Readonly<Record<string, number>>, work: string): string {
  const file = join(work, 'root.tar')
  const excluded = Object.keys(owners).map((path) => `--exclude=./${path}`)
  tar([...excluded, '-C', root, '-cf', file, '.'])
  for (const [path, id] of Object.entries(owners)) tar(['-C', root, '-rf', file, `./${path}`], id)
  return file
}

function tar(args: readonly string[], owner = 0): void {
  const stable = [
    '--sort=name',
    '--mtime=@0',
    `--owner=${owner}`,
    `--group=${owner}`,
    '--numeric-owner',
    '--format=gnu',
  ]
  execFileSync('tar', [...stable, ...args])
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

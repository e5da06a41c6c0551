// Runs in a lab: a registry of one image, for pulls by digest. node registry.ts DIR: the unpacked OCI archive to serve,
// on loopback. The protocol: https://github.com/opencontainers/distribution-spec/blob/main/spec.md "Pull".
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

const PORT = 5000
const TYPES = { manifests: 'application/vnd.oci.image.manifest.v1+json', blobs: 'application/octet-stream' } as const
const [dir = ''] = process.argv.slice(2)

createServer((request, response) => {
  const [, kind, digest = ''] = /^\/v2\/.+\/(manifests|blobs)\/sha256:([0-9a-f]{64})$/.exec(request.url ?? '') ?? []
  const file = join(dir, 'blobs/sha256', digest)
  if (request.url === '/v2/') response.end('{}')
  else if ((kind !== 'manifests' && kind !== 'blobs') || !existsSync(file)) response.writeHead(404).end('{}')
  else {
    const bytes = readFileSync(file)
    response.writeHead(200, {
      'content-type': TYPES[kind],
      'content-length': bytes.length,
      'docker-content-digest': `sha256:${digest}`,
    })
    response.end(request.method === 'HEAD' ? undefined : bytes)
  }
}).listen(PORT, '127.0.0.1', () => console.log('serving'))

import type { Finding } from '../diagnostic.ts'
import type { Gateway } from '../ir/nodes/gateway.ts'

/** The image of the gateway itself, for targets that run it in a container; a warning when the spec names none. */
export function gatewayImage(
  { image }: Gateway,
  target: string,
): { readonly image: string | undefined; readonly findings: readonly Finding[] } {
  if (image !== undefined) return { image, findings: [] }
  const built = target === 'compose' ? 'the image localhost/gate of this host' : 'an image built from ./Dockerfile'
  return {
    image,
    findings: [
      {
        code: 'MISSING_IMAGE',
        severity: 'warning',
        path: ['gate', 'image'],
        message: `gate.image is not set, so ${target} uses ${built}`,
        hint: '`npm run package:oci` in the sources of Gate makes that image; push it to your registry and set gate.image',
      },
    ],
  }
}

import type { SpecPath } from '../../schemas/spec/path.ts'
import type { BackendSpec } from '../../schemas/spec/spec.ts'
import type { Finding } from '../diagnostic.ts'

/** What a container engine or systemd would read as something else than the spec says. */
export function checkContainer(backend: BackendSpec, path: SpecPath): Finding[] {
  return [...checkArguments(backend, path), ...checkVariables(backend, path), ...checkDevices(backend, path)]
}

/** podman's generator drops the quotes around it, and systemd begins another command there; systemd.service(5). */
function checkArguments({ args }: BackendSpec, path: SpecPath): Finding[] {
  return args.flatMap((word, i): Finding[] => {
    if (word !== ';') return []
    const message = 'an argument that is only ";" begins another command in a unit'
    const hint = 'put it inside a longer argument, or set it in a script of the image'
    return [{ code: 'INVALID_VALUE', path: [...path, 'args', i], message, hint }]
  })
}

function checkVariables({ environment, secrets }: BackendSpec, path: SpecPath): Finding[] {
  return Object.keys(secrets)
    .filter((name) => Object.hasOwn(environment, name))
    .map((name) => ({
      code: 'DUPLICATE_KEY',
      path: [...path, 'environment', name],
      part: 'key',
      message: `the variable ${name} is in secrets as well`,
      hint: 'remove one of the two',
    }))
}

function checkDevices({ gpu: { devices } }: BackendSpec, path: SpecPath): Finding[] {
  const at = [...path, 'gpu', 'devices']
  if (devices.length > 1 && devices.includes('all')) {
    const message = '"all" is every device already'
    return [{ code: 'INVALID_VALUE', path: at, message, hint: 'write ["all"], or name the devices' }]
  }
  return devices.flatMap((device, i): Finding[] =>
    devices.indexOf(device) === i
      ? []
      : [
          {
            code: 'INVALID_VALUE',
            path: [...at, i],
            message: `the device "${device}" appears twice`,
            hint: 'name each device once',
          },
        ],
  )
}

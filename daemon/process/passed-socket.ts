import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { PassedSocket } from '../../config/passed-socket.ts'

/** Where the administrator's units are, `gatectl apply`'s and NixOS' too. */
const UNITS = '/etc/systemd/system'

/** The socket unit of this service, and who writes it. @param root of the host; another one in tests */
export function passedSocket(root = '/'): PassedSocket {
  const unit = `${serviceName(join(root, 'proc/self/cgroup'))}.socket`
  return { unit, writtenBy: writerOf(join(root, UNITS, unit)) }
}

/** @see cgroups(7): with systemd, a service runs in a group of its name */
function serviceName(file: string): string {
  const [, name = 'gate-daemon'] = /\/([^/\n]+)\.service$/m.exec(textOf(file)) ?? []
  return name
}

function writerOf(file: string): PassedSocket['writtenBy'] {
  if (existsSync(file) && realpathSync(file).includes('/nix/store/')) return 'nixos'
  const hasDropIn = dropInsOf(`${file}.d`).some((dropIn) => /^\s*ListenStream\s*=/m.test(textOf(dropIn)))
  if (hasDropIn) return 'unit' // it would hide what the spec says
  return textOf(file).includes('Made by gatectl from the spec') ? 'spec' : 'unit'
}

function dropInsOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.conf'))
      .map((name) => join(folder, name))
  } catch {
    return []
  }
}

/** Empty for a file that cannot be read: this decides the words of a hint, nothing else. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

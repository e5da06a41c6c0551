// Programs of Debian 13 run on files of a test without a boot: its root file system with the files laid over it.
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Rootfs } from './rootfs.ts'

export type StagedFile = readonly [path: string, text: string, mode?: number]

/** Lays the directory over Debian's files, in memory, and runs the rest of the arguments in there as root. */
const ENTER = `set -eu
rootfs=$1 staged=$2 at=$3
shift 3
mount -t tmpfs lab "$at"
mkdir "$at/upper" "$at/work" "$at/root"
mount -t overlay -o "lowerdir=$staged:$rootfs,upperdir=$at/upper,workdir=$at/work" lab "$at/root"
mount -t proc proc "$at/root/proc"
exec chroot "$at/root" env -i PATH=/usr/sbin:/usr/bin "$@"`

/** Runs a program of Debian 13 with these files in place. Nothing that it does stays. */
export function runInDebian(rootfs: Rootfs, files: Iterable<StagedFile>, command: readonly string[]) {
  const staged = mkdtempSync(join(tmpdir(), 'gate-staged-'))
  const at = mkdtempSync(join(tmpdir(), 'gate-mount-'))
  try {
    chmodSync(staged, 0o755)
    for (const [path, text, mode = 0o644] of files) {
      mkdirSync(dirname(join(staged, path)), { recursive: true })
      writeFileSync(join(staged, path), text, { mode })
    }
    const dir = rootfs.kind === 'ready' ? rootfs.dir : ''
    const args = ['--mount', '--propagation', 'private', '/bin/sh', '-c', ENTER, 'sh', dir, staged, at, ...command]
    const { status, stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8', maxBuffer: 2 ** 28 })
    return { code: status, stdout, stderr }
  } finally {
    rmSync(staged, { recursive: true })
    rmSync(at, { recursive: true })
  }
}

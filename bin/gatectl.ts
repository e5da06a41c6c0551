#!/usr/bin/env node
import { mkdirSync, statSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * Compiled code is kept between runs, in this user's own cache folder: Node's default, a fixed name in /tmp, could have
 * been made by another user, whose code would then run here. For the same reason `sudo -E` must not use the caller's
 * folder.
 */
function cacheCompiledCode(): void {
  try {
    const folder = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'gate', 'compiled')
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const { uid, mode } = statSync(folder)
    if (uid === process.getuid?.() && (mode & 0o022) === 0) enableCompileCache(folder)
  } catch {
    // no home, or one that cannot be written, only makes the start slower
  }
}

// `npm run` works in the folder of package.json, but paths are meant from where it was typed
const { npm_lifecycle_event: script, INIT_CWD: typedIn } = process.env
if (script === 'gatectl' && typedIn !== undefined) process.chdir(typedIn)

cacheCompiledCode()
const { runGatectl } = await import('../ctl/gatectl.ts')
const { ownProcess } = await import('../ctl/terminal/own-process.ts')
process.exitCode = await runGatectl(process.argv.slice(2), ownProcess())

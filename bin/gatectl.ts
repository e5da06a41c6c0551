#!/usr/bin/env node
import { mkdirSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import { ownPath } from '../system/own-path.ts'

/**
 * Compiled code is kept between runs, in this user's own cache folder: Node's default, a fixed name in /tmp, could have
 * been made by another user, whose code would then run here. For the same reason root's is below its own home, whatever
 * variables `sudo -E` keeps, and a folder that another account could exchange is not used.
 */
function cacheCompiledCode(): void {
  try {
    const isRoot = process.getuid?.() === 0
    const home = isRoot ? userInfo().homedir : homedir()
    const asked = isRoot ? undefined : process.env['XDG_CACHE_HOME']
    const folder = join(asked || join(home, '.cache'), 'gate', 'compiled')
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const own = ownPath(folder)
    if (own !== undefined) enableCompileCache(own)
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

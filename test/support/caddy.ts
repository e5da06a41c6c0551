import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, tryRun } from './programs.ts'

/** Checks a Caddyfile, below `folder` only. */
export function validateCaddy(text: string, folder: string): { status: number | null; stderr: string } {
  return tryRun(
    'caddy',
    ['validate', '--adapter', 'caddyfile', '--config', configure(text, folder)],
    '',
    environment(folder),
  )
}

/** The configuration that Caddy makes of a Caddyfile. @throws with what Caddy says when it refuses the text */
export function adaptCaddy(text: string, folder: string): unknown {
  return JSON.parse(run('caddy', ['adapt', '--adapter', 'caddyfile', '--config', configure(text, folder)]))
}

/** Runs Caddy until `stop`, without its API. */
export async function startCaddy(text: string, folder: string): Promise<{ stop: () => Promise<void> }> {
  const config = configure(text.replace(/^\tadmin .*$/m, '\tadmin off'), folder)
  const env = { ...process.env, ...environment(folder) }
  const child = spawn('caddy', ['run', '--adapter', 'caddyfile', '--config', config], { stdio: 'ignore', env })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return {
    stop: () => {
      // it would wait for streams that are open
      child.kill('SIGKILL')
      return exited
    },
  }
}

const environment = (folder: string) => ({ HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder })

function configure(text: string, folder: string): string {
  writeFileSync(join(folder, 'Caddyfile'), text)
  return join(folder, 'Caddyfile')
}

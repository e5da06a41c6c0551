import { once } from 'node:events'
import { vi } from 'vitest'
import type { Lab } from './lab.ts'

/**
 * A terminal of 30 rows and 100 columns in which a shell command runs; says afterwards how it left the terminal.
 * @param as what the terminal is started by, such as `runuser -u alice --`; root's when empty
 */
export function terminal(lab: Lab, command: string, as: readonly string[] = []) {
  const script = `stty rows 30 cols 100; before=$(stty -g); ${command}; echo "code $?"
      [ "$before" = "$(stty -g)" ] && echo restored`
  const child = lab.start([...as, 'env', 'TERM=xterm', 'script', '--quiet', '--command', script, '/dev/null'])
  let screen = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    screen += chunk.toString()
  })
  const shows = (text: string) =>
    vi
      .waitUntil(() => screen.includes(text), { timeout: 20_000 })
      .catch(() => {
        throw new Error(`the screen never showed ${JSON.stringify(text)}:\n${screen}`)
      })
  return { type: (keys: string) => child.stdin?.write(keys), shows, ended: once(child, 'close') }
}

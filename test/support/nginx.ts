import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, tryRun } from './programs.ts'

/** Checks a file for the http block of nginx, in a configuration around it that writes below `folder` only. */
export function testNginx(text: string, folder: string): { status: number | null; stderr: string } {
  return tryRun('nginx', ['-t', '-q', '-e', 'stderr', '-c', configure(text, folder)])
}

/** Runs nginx until `stop`. @throws with what nginx says when it refuses the text */
export async function startNginx(text: string, folder: string): Promise<{ stop: () => Promise<void> }> {
  const config = configure(text, folder)
  run('nginx', ['-t', '-q', '-e', 'stderr', '-c', config])
  const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` }
  const child = spawn('nginx', ['-e', 'stderr', '-c', config, '-g', 'daemon off;'], { stdio: 'inherit', env })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return {
    stop: () => {
      child.kill('SIGTERM')
      return exited
    },
  }
}

function configure(text: string, folder: string): string {
  writeFileSync(join(folder, 'gate.conf'), readable(text))
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  )
  const own = `user root; pid ${folder}/nginx.pid; error_log stderr crit; worker_processes 1; events {}`
  const http = `access_log off; ${temporary.join(' ')} include ${folder}/gate.conf;`
  writeFileSync(join(folder, 'nginx.conf'), `${own}\nhttp { ${http} }\n`)
  return join(folder, 'nginx.conf')
}

/** In the words of this machine's nginx: before 1.25.1 HTTP/2 is a word of `listen`. */
function readable(text: string): string {
  const { stderr } = tryRun('nginx', ['-v'])
  const [, major = 0, minor = 0, patch = 0] = /nginx\/(\d+)\.(\d+)\.(\d+)/.exec(stderr)?.map(Number) ?? []
  if (major * 1e6 + minor * 1e3 + patch >= 1_025_001) return text
  return text.replaceAll(/^ *http2 on;\n/gm, '').replaceAll(/^( *listen .* ssl);$/gm, '$1 http2;')
}

import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { runAgent } from '../../agent/agent.ts'
import { serveShell } from '../../agent/shell-connection.ts'
import { startAdminDaemon } from './admin-daemon.ts'
import { temporaryDirectory } from './temporary-directory.ts'

// The three servers of a host in a process of its own: an agent and a shell agent, which here serve one connection
// after the other in one process, so that what one leaves behind is seen, and the admin API. Programs of the host are
// scripts that write down how they were called. Answers each message with what is left open, and the calls.

const directory = temporaryDirectory()
const calls = directory.file('calls')
writeFileSync(calls, '')
/** Of a call that is written down whole. */
const END = ' .'
const PROGRAMS = {
  systemctl: `[ "$3" != show ] || printf 'Id=gate-own.service\\nLoadState=loaded\\nActiveState=active\\nSubState=running\\nResult=success\\n'`,
  podman: `case "$1 $2" in "image inspect") echo id ;; *" ls") echo '[]' ;; exec*) exec /bin/cat ;; esac`,
  journalctl: `printf '{"__REALTIME_TIMESTAMP":"1795200000000000","MESSAGE":"hello","USER_UNIT":"gate-own.service"}\\n'`,
}
for (const [name, script] of Object.entries(PROGRAMS)) {
  writeFileSync(directory.file(name), `#!/bin/sh\nprintf '\\n%s${END}\\n' "${name} $*" >>'${calls}'\n${script}\n`)
  chmodSync(directory.file(name), 0o755)
}
process.env['PATH'] = directory.path

const allow = {
  service: 'gate-own.service',
  onDemand: { socket: 'gate-own.socket', proxy: 'gate-own-proxy.service' },
  container: 'gate-own',
  images: ['example.org/own@sha256:1'],
  archive: undefined,
}
let open = 0
/** Of errors that no caller should be able to cause. */
const unforeseen: string[] = []
const log = (line: string) => {
  if (line.includes('\n    at ')) unforeseen.push(line)
}

/** A script that is killed while it writes leaves the beginning of a line. */
function wholeLines(made: string): string[] {
  return made.split('\n').flatMap((line) => (line.endsWith(END) ? [line.slice(0, -END.length)] : []))
}

function serve(name: string, run: (socket: Socket) => Promise<void>): string {
  const path = directory.file(name)
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open++
    void run(socket).finally(() => {
      open--
      socket.destroy()
    })
  })
  server.listen(path)
  return path
}
const connection = { allow, instance: '1-2-0', log }
const agent = serve('agent.sock', (socket) => runAgent({ ...connection, socket, gatewayAccount: 'gate' }))
const accounts = { gateway: 'gate', admins: 'gate-admin' }
const shell = serve('shell.sock', (socket) => serveShell({ ...connection, socket, accounts }))
const daemon = await startAdminDaemon()

process.on('message', () => {
  globalThis.gc?.()
  const made = readFileSync(calls, 'utf8')
  writeFileSync(calls, '')
  process.send?.({ open, unforeseen, calls: wholeLines(made), rssBytes: process.memoryUsage.rss() })
})
process.once('disconnect', () => {
  directory.remove()
  process.exit()
})
process.send?.({ agent, shell, admin: daemon.socketPath })

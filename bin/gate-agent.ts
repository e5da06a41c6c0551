#!/usr/bin/env node
import { Socket } from 'node:net'
import { parseArgs } from 'node:util'
import { runAgent } from '../agent/agent.ts'
import { serveShell } from '../agent/shell-connection.ts'
import { packageVersion } from '../system/version.ts'

const USAGE = `Usage: gate-agent --peer INSTANCE --gateway ACCOUNT --service UNIT --container NAME
                  [--socket UNIT --proxy UNIT] [--image IMAGE]... [--archive FILE]
       gate-agent --admins GROUP --peer INSTANCE --gateway ACCOUNT --service UNIT --container NAME
                  [--socket UNIT --proxy UNIT]

Serves one connection of the gateway, on standard input, in the account of a backend: status, start, stop, logs and
so on of that backend and of nothing else. With --admins it serves one shell in the backend's container, or its
journal, and nothing else. gate-agent.socket and gate-shell.socket start it; there is no need to start it by hand.

  --peer INSTANCE     who connected: %i of gate-agent@.service or gate-shell@.service
  --gateway ACCOUNT   who may give orders, beside root, and never opens a shell
  --admins GROUP      whose members may open a shell, beside root
  --service UNIT      service of the container
  --socket UNIT       what wakes it on demand, and
  --proxy UNIT        what then forwards to it
  --container NAME    name of the container
  --image IMAGE       an image that may be pulled, or
  --archive FILE      is loaded from this archive
  --version, --help
`

async function start(): Promise<number> {
  let flags: ReturnType<typeof readFlags>
  try {
    flags = readFlags()
  } catch (error) {
    return wrongUsage(error instanceof Error ? error.message : String(error))
  }
  if (flags.help === true || flags.version === true) {
    process.stdout.write(flags.help === true ? USAGE : `gate-agent ${packageVersion()}\n`)
    return 0
  }
  const { peer, gateway, admins, service, container, socket, proxy, image = [], archive } = flags
  if (peer === undefined || gateway === undefined || service === undefined || container === undefined)
    return wrongUsage('--peer, --gateway, --service and --container are needed')
  if ((socket === undefined) !== (proxy === undefined)) return wrongUsage('--socket and --proxy go together')
  const onDemand = socket === undefined || proxy === undefined ? undefined : { socket, proxy }
  const connection = {
    socket: new Socket({ fd: 0, readable: true, writable: true }),
    allow: { service, onDemand, container, images: image, archive },
    instance: peer,
    log: (line: string) => void process.stderr.write(`${line}\n`),
  }
  if (admins === undefined) await runAgent({ ...connection, gatewayAccount: gateway })
  else await serveShell({ ...connection, accounts: { gateway, admins } })
  return 0
}

function readFlags() {
  const text = { type: 'string' } as const
  return parseArgs({
    options: {
      peer: text,
      gateway: text,
      admins: text,
      service: text,
      socket: text,
      proxy: text,
      container: text,
      image: { type: 'string', multiple: true },
      archive: text,
      version: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  }).values
}

function wrongUsage(message: string): number {
  process.stderr.write(`gate-agent: ${message}\n\n${USAGE}`)
  return 2
}

// not process.exitCode: a program that ignores the hangup must not keep the process, whose end is systemd's sign to end
// it
process.exit(await start())

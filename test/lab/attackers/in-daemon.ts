import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { ExecOptions, ExecResult, Lab } from '../lab.ts'

const UNIT = 'gate-attack.service'
const [SCRIPT, OUT, ERR] = ['/opt/gate-attack.sh', '/var/gate-attack.out', '/var/gate-attack.err']

/** What becomes of the daemon's unit: an attack starts once, and the daemon keeps its sockets. */
const AS_ATTACK = `
Type=oneshot
ExecStart=
ExecStart=/bin/sh ${SCRIPT}
ExecReload=
Restart=no
WatchdogSec=0
StandardOutput=truncate:${OUT}
StandardError=truncate:${ERR}
`
/** systemd's own exit codes: what failed is the start, and not the attack. */
const NOT_STARTED = { from: 200, to: 245 }

/**
 * Runs a program as code in the daemon: in a second service with the `[Service]` section of gate-daemon.service as
 * systemd reads it, drop-ins included, so with its account, namespaces, filters and limits. What the daemon has is
 * left alone. The exit code is that of the program.
 * @throws Error when the service cannot be started
 */
export async function inDaemon(
  lab: Lab,
  command: readonly string[],
  { timeoutMs = 60_000 }: Pick<ExecOptions, 'timeoutMs'> = {},
): Promise<ExecResult> {
  writeFileSync(lab.path(SCRIPT), `exec ${command.map(scriptWord).join(' ')}\n`)
  for (const file of [OUT, ERR]) rmSync(lab.path(file), { force: true })
  await makeUnit(lab)
  await lab.exec(['systemctl', 'start', UNIT], { timeoutMs })
  const code = Number(await lab.run(['systemctl', 'show', '--value', '--property=ExecMainStatus', UNIT]))
  if (code >= NOT_STARTED.from && code <= NOT_STARTED.to) {
    throw new Error((await lab.exec(['systemctl', 'status', '--no-pager', '--full', '--lines=50', UNIT])).stdout)
  }
  await lab.exec(['systemctl', 'reset-failed', UNIT])
  const [stdout = '', stderr = ''] = [OUT, ERR].map((file) => readFileSync(lab.path(file), 'utf8'))
  return { code, stdout, stderr }
}

/** What the daemon's unit and that of an attack differ in, by the names of `systemctl show`. */
export async function differences(lab: Lab): Promise<string[]> {
  await makeUnit(lab)
  const [daemon = new Map<string, string>(), attack = new Map<string, string>()] = await Promise.all(
    ['gate-daemon.service', UNIT].map(async (unit) => properties(await lab.run(['systemctl', 'show', '--all', unit]))),
  )
  const names = new Set([...daemon.keys(), ...attack.keys()])
  return [...names].filter((name) => daemon.get(name) !== attack.get(name)).sort()
}

async function makeUnit(lab: Lab): Promise<void> {
  const text = await lab.run(['systemctl', 'cat', 'gate-daemon.service'])
  const lines = text.split(/^(?=\[)/m).flatMap((section) => {
    const [name, ...rest] = section.split('\n')
    return name === '[Service]' ? rest.filter((line) => !line.startsWith('Sockets=')) : []
  })
  writeFileSync(lab.path(`/run/systemd/system/${UNIT}`), ['[Service]', ...lines, AS_ATTACK].join('\n'))
  await lab.run(['systemctl', 'daemon-reload'])
}

function properties(text: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? []
    if (name !== undefined && value !== undefined) found.set(name, `${found.get(name) ?? ''}${value}\n`)
  }
  return found
}

/** A word in a script may have several lines. */
const scriptWord = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`

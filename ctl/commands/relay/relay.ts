import type { RelayOutcome, RelayTunnel } from '../../../schemas/relay-admin.ts'
import { escapeControls } from '../../../syntax/terminal/log-line.ts'
import { failure, usageFailure } from '../../failure.ts'
import type { Invocation, Run } from '../../invocation.ts'
import { table } from '../../output/table.ts'
import { type AskRelay, relayClient } from '../../relay-client.ts'
import { relaySocketPaths } from '../../socket-paths.ts'

type Verb = (invocation: Invocation, ask: AskRelay) => Promise<number>

const VERBS: Readonly<Record<string, Verb>> = {
  async nodes({ json, print, printJson, stdout }, ask) {
    const answer = await ask('GET /nodes')
    if (json) printJson(answer)
    else if (answer.tunnels.length === 0) print('no node has a tunnel to this relay')
    else {
      print(
        table(
          ['NODE', 'NAMES', 'FROM', 'SINCE', 'VISITORS', 'IN', 'OUT', 'RTT'],
          answer.tunnels.map(tunnelRow),
          stdout,
        ),
      )
      for (const node of new Set(answer.tunnels.flatMap(({ nodeId, isCopied }) => (isCopied ? [nodeId] : []))))
        print(`the key of ${node} is used by two daemons: it was copied, so give one of them a new key`)
    }
    return 0
  },
  async names({ json, print, printJson, stdout }, ask) {
    const answer = await ask('GET /names')
    if (json) printJson(answer)
    else if (answer.names.length === 0) print('no name is claimed')
    else {
      const rows = answer.names.map(({ host, nodeId, claimedAtMs, releasedAtMs }) => [
        host,
        nodeId,
        dayOf(claimedAtMs),
        releasedAtMs === undefined ? '-' : dayOf(releasedAtMs),
      ])
      print(table(['NAME', 'NODE', 'CLAIMED', 'RELEASED'], rows, stdout))
    }
    return 0
  },
  async claim(invocation, ask) {
    const [name = '', nodeId = ''] = invocation.arguments
    const key = name.includes('.') ? 'relay.names' : 'relay.custom_domain'
    const wants = `its gateway takes visitors of ${name} only where its own ${key} has that name`
    const done = `${name} belongs to ${nodeId} now\n${wants}`
    return tell(invocation, await ask('POST /claim', { name, nodeId }), done)
  },
  async release(invocation, ask) {
    const [name = ''] = invocation.arguments
    return tell(invocation, await ask('POST /release', { name }), `${name} is released`)
  },
  async invite(invocation, ask) {
    const { flag, json, print, printJson, stdout } = invocation
    if (flag('list')) {
      const answer = await ask('GET /invites')
      const rows = answer.invites.map(({ id, left, expiresAtMs, note }) => [id, String(left), dayOf(expiresAtMs), note])
      if (json) printJson(answer)
      else
        print(answer.invites.length === 0 ? 'no invite is open' : table(['ID', 'LEFT', 'UNTIL', 'NOTE'], rows, stdout))
      return 0
    }
    const note = invocation.text('note')
    const body = { ...count(invocation, 'uses'), ...count(invocation, 'days'), ...(note !== undefined && { note }) }
    const made = await ask('POST /invites', body)
    if ('result' in made) return tell(invocation, made, '')
    if (json) printJson(made)
    else print(`${made.invite}\n(shown this once; good for ${made.uses} name(s) until ${dayOf(made.expiresAtMs)})`)
    return 0
  },
  async status({ json, print, printJson }, ask) {
    const status = await ask('GET /status')
    if (json) printJson(status)
    else {
      const { domain, certificate, listening, registry, tunnels, nodes, visitors, names, relays, pin } = status
      const others = relays.filter(({ id }) => id !== status.id).map(({ address }) => address)
      const rows = [
        ['relay', `relay.${domain} (${status.instance}), gate-relay ${status.version}`],
        ['listens on', listening.join(', ')],
        ['certificate', certificate === 'own' ? 'its own: nodes need the pin' : 'trusted'],
        ['pin', pin],
        ['registry', `${registry.kind}, ${registry.state}`],
        ['nodes', `${nodes} by ${tunnels} tunnels, ${visitors} visitors, ${names} names`],
        ['other relays', others.length === 0 ? 'none' : others.join(', ')],
      ]
      for (const [name = '', value = ''] of rows) print(`${`${name}:`.padEnd(14)}${escapeControls(value)}`)
    }
    return 0
  },
}

/** @param verb of the table */
export const relayCommand =
  (verb: string): Run =>
  async (invocation) => {
    const [instance, socket] = [invocation.text('instance') ?? 'default', invocation.text('socket')]
    const paths = socket === undefined ? relaySocketPaths(instance, invocation.env) : [socket]
    return (await VERBS[verb]?.(invocation, relayClient(instance, paths))) ?? 0
  }

/** What a change came to. @throws Failure RELAY_REFUSED */
function tell({ json, print, printJson }: Invocation, outcome: RelayOutcome, done: string): number {
  if (outcome.result !== 'ok') {
    const detail = outcome.detail ?? REFUSALS[outcome.result]
    throw failure('RELAY_REFUSED', `the relay answered ${outcome.result}${detail === undefined ? '' : `: ${detail}`}`)
  }
  if (json) printJson(outcome)
  else print(done.split('\n').map(escapeControls).join('\n'))
  return 0
}

/** What refusals mean where the relay says no more. */
const REFUSALS: Readonly<Record<string, string>> = {
  reserved: 'people take this name for one of the domain itself, so it is given to no node; choose another one',
  taken: 'another node has the name; gatectl relay names shows which, gatectl relay release takes it away',
  'not-found': 'no node has the name; gatectl relay names lists those that are given',
  unavailable: 'the registry cannot be written now; the log of the relay says why (a full disk, or etcd is lost)',
}

/** An option that is a number. @throws Failure USAGE */
function count({ text }: Invocation, name: string): Record<string, number> {
  const given = text(name)
  if (given === undefined) return {}
  if (!/^[1-9]\d{0,4}$/.test(given)) throw usageFailure(`--${name}: "${given}" is not a number`, `write --${name} 5`)
  return { [name]: Number(given) }
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

function tunnelRow({ nodeId, names, address, connectedMs, visitors, bytesIn, bytesOut, rttMs }: RelayTunnel): string[] {
  const claimed = names.filter((name) => !name.startsWith(`${nodeId}.`)).join(', ')
  const since = `${Math.round(connectedMs / 1_000)} s`
  const rtt = rttMs === null ? '-' : `${Math.round(rttMs)} ms`
  return [nodeId, claimed || '-', address, since, String(visitors), size(bytesIn), size(bytesOut), rtt]
}

const size = (bytes: number): string =>
  bytes < 2 ** 20 ? `${Math.round(bytes / 1_024)} KiB` : `${Math.round(bytes / 2 ** 20)} MiB`

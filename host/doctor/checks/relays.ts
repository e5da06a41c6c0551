import type { RelayStatus } from '../../../schemas/relay-admin.ts'
import { sh } from '../../../syntax/shell/print.ts'
import { askSocket } from '../../../system/ask-socket.ts'
import { codeOf } from '../../../system/error-code.ts'
import type { Check } from '../check.ts'
import { command, edit, type Finding, fail, ok, ROOT_SEES_MORE, skip, warn } from '../finding.ts'

export type RelaysFacts = readonly {
  readonly instance: string
  readonly unit: string
  readonly answer:
    | { readonly kind: 'status'; readonly status: RelayStatus }
    | { readonly kind: 'denied' }
    | { readonly kind: 'silent'; readonly reason: string }
}[]

/** The relays that this host runs; what the daemon says of relays elsewhere is the check `relay`. */
export const relays: Check<RelaysFacts> = {
  name: 'relays',
  summary: 'whether the relays of this host answer, reach their registry, and have a certificate that nodes trust',
  async observe({ deployment, names }, signal) {
    return await Promise.all(
      (deployment?.relays ?? []).map(async ({ instance }) => {
        const socketPath = `/run/${names.relayUnit}/${instance}/admin.sock`
        return { instance, unit: `${names.relayUnit}@${instance}.service`, answer: await statusAt(socketPath, signal) }
      }),
    )
  },
  judge(facts) {
    if (facts.length === 0) return [ok('no relay is to run on this host')]
    return facts.flatMap(judgeOne)
  },
}

async function statusAt(socketPath: string, signal: AbortSignal): Promise<RelaysFacts[number]['answer']> {
  try {
    const { status, text } = await askSocket({ socketPath, host: 'relay', path: '/status' }, signal)
    if (status !== 200) return { kind: 'silent', reason: `it answered ${status}` }
    return { kind: 'status', status: JSON.parse(text) as RelayStatus } // of the same package
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? codeOf(error) : ''
    if (code === 'EACCES' || code === 'EPERM') return { kind: 'denied' }
    return { kind: 'silent', reason: code === '' ? String(error) : `${socketPath}: ${code}` }
  }
}

function judgeOne({ instance, unit, answer }: RelaysFacts[number]): Finding[] {
  if (answer.kind === 'denied') return [skip(`relay ${instance}`, ROOT_SEES_MORE)]
  if (answer.kind === 'silent') {
    return [fail(`relay ${instance} does not answer`, answer.reason, command(sh`journalctl -n 50 -u ${unit}`))]
  }
  const { domain, registry, certificate, nodes, names, pin } = answer.status
  const isLost = registry.state === 'lost'
  const lost = warn(
    `relay ${instance} does not reach its registry (${registry.kind})`,
    'known names go on; no name is given or released meanwhile',
    command(sh`journalctl -n 50 -u ${unit}`),
  )
  const own = warn(
    `relay.${domain} has a certificate of its own`,
    'a node joins only where its relay.pins has the key of this relay',
    edit('the nodes', `relay.pins = ["${pin}"]; or set relays.${instance}.tls`),
  )
  const right = ok(`relay ${instance}: ${nodes} nodes, ${names} names, registry ${registry.kind}`)
  return [...(isLost ? [lost] : [right]), ...(certificate === 'own' ? [own] : [])]
}

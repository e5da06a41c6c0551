import type { Address, Agent, Deployment, IdleSocket } from '../ir/deployment.ts'
import { AGENT, SOCKET_PROXY, userUnitDirectory } from '../ir/names.ts'
import { command, literal, printUnit, text, type UnitFile } from '../syntax/unit.ts'
import type { OutputFile } from './output.ts'

/** Plain units in the accounts of the backends: sockets that wake them, and gate-agent. */
export function userUnitFiles(deployment: Deployment): OutputFile[] {
  const sockets = deployment.sockets.flatMap((socket) => [
    unitFile(socket, socket.socketUnit, idleSocketUnit(socket)),
    unitFile(socket, socket.proxyUnit, idleProxyUnit(socket)),
  ])
  const agents = deployment.agents.flatMap((agent) => [
    unitFile(agent, AGENT.socket, agentSocketUnit(agent)),
    unitFile(agent, AGENT.service, agentServiceUnit(agent)),
    unitFile(agent, 'sockets.target.d/gate.conf', wantsDropIn(agent)),
  ])
  return [...sockets, ...agents]
}

const COMMENT = ['Made by gatectl from the spec; changes here are lost.']

/** The most connections that one backend holds at a time. */
const CONNECTIONS_MAX = 1024

function idleSocketUnit({ origin, path, proxyUnit }: IdleSocket): UnitFile {
  return {
    origin,
    comment: COMMENT,
    sections: [
      { name: 'Unit', entries: [{ key: 'Description', value: text(`Wakes ${proxyUnit}`) }] },
      {
        name: 'Socket',
        entries: [
          { key: 'ListenStream', value: text(path) },
          { key: 'SocketMode', value: literal('0660') },
          { key: 'Service', value: text(proxyUnit) },
        ],
      },
    ],
  }
}

function idleProxyUnit({ origin, socketUnit, containerUnit, target, idleMs }: IdleSocket): UnitFile {
  const idle = `--exit-idle-time=${Math.ceil(idleMs / 1000)}s`
  return {
    origin,
    comment: COMMENT,
    sections: [
      {
        name: 'Unit',
        entries: [
          { key: 'Description', value: text(`Forwards to ${containerUnit} until it is idle`) },
          { key: 'Requires', value: text(`${socketUnit} ${containerUnit}`) },
          { key: 'After', value: text(`${socketUnit} ${containerUnit}`) },
        ],
      },
      {
        name: 'Service',
        entries: [
          { key: 'Type', value: literal('notify') },
          {
            key: 'ExecStart',
            value: command(SOCKET_PROXY, `--connections-max=${CONNECTIONS_MAX}`, idle, addressText(target)),
          },
        ],
      },
    ],
  }
}

function agentSocketUnit({ origin, path }: Agent): UnitFile {
  return {
    origin,
    comment: COMMENT,
    sections: [
      { name: 'Unit', entries: [{ key: 'Description', value: text('Gate agent of this backend') }] },
      {
        name: 'Socket',
        entries: [
          { key: 'ListenStream', value: text(path) },
          { key: 'SocketMode', value: literal('0660') },
        ],
      },
    ],
  }
}

function agentServiceUnit({ origin, units }: Agent): UnitFile {
  return {
    origin,
    comment: COMMENT,
    sections: [
      {
        name: 'Unit',
        entries: [
          { key: 'Description', value: text('Gate agent of this backend') },
          { key: 'Requires', value: text(AGENT.socket) },
          { key: 'After', value: text(AGENT.socket) },
        ],
      },
      {
        name: 'Service',
        entries: [
          { key: 'ExecStart', value: command(AGENT.program, ...units.map((unit) => `--unit=${unit}`)) },
          { key: 'UMask', value: literal('0077') },
        ],
      },
    ],
  }
}

/** Starts the sockets with the user's manager, without the links that "systemctl enable" makes. */
function wantsDropIn({ origin, units }: Agent): UnitFile {
  const sockets = [AGENT.socket, ...units.filter((unit) => unit.endsWith('.socket'))]
  return {
    origin,
    comment: COMMENT,
    sections: [{ name: 'Unit', entries: [{ key: 'Wants', value: text(sockets.join(' ')) }] }],
  }
}

function addressText(address: Address): string {
  return address.kind === 'unix' ? address.path : `${address.host}:${address.port}`
}

function unitFile({ uid, home }: { uid: number; home: string }, file: string, unit: UnitFile): OutputFile {
  const path = `quadlet/user-units/${uid}/${file}`
  return { path, install: `${userUnitDirectory(home)}/${file}`, mode: 0o644, ...printUnit(unit) }
}

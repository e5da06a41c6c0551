import type { SpecPath } from '../../../schemas/spec/path.ts'
import {
  command,
  type Entry,
  literal,
  printUnit,
  text,
  type UnitFile,
  type Value,
  valueText,
} from '../../../syntax/unit/print.ts'
import type { Deployment } from '../../ir/deployment.ts'
import { AGENT, userUnitDirectory } from '../../ir/names.ts'
import type { Agent } from '../../ir/nodes/backend.ts'
import type { EmitOptions, OutputFile } from '../output.ts'
import { backendSocketUnits } from './backend-socket.ts'
import { imageUnits } from './image-units.ts'

/** Plain units in the accounts of the backends: sockets that wake them, gate-agent, and what gets their images. */
export function userUnitFiles(deployment: Deployment, { layout }: EmitOptions): OutputFile[] {
  const { programs } = layout
  const sockets = deployment.sockets.flatMap((socket) =>
    Object.entries(backendSocketUnits(socket, programs)).map(([file, unit]) => unitFile(socket, file, unit)),
  )
  const agents = deployment.agents.flatMap((agent) => [
    unitFile(agent, AGENT.socket, agentSocketUnit(agent)),
    unitFile(agent, AGENT.service, agentServiceUnit(agent, programs.agent)),
    unitFile(agent, AGENT.shellSocket, shellSocketUnit(agent)),
    unitFile(agent, AGENT.shellService, shellServiceUnit(agent, programs.agent)),
    unitFile(agent, 'sockets.target.d/gate.conf', wantsDropIn(agent)),
  ])
  const images = deployment.images.flatMap((image) =>
    Object.entries(imageUnits(image, layout)).map(([file, unit]) => unitFile(image, file, unit)),
  )
  return [...sockets, ...agents, ...images]
}

const COMMENT = ['Made by gatectl from the spec; changes here are lost.']

/** Connections of one agent at a time; each is a process. The gateway needs one, and one for each log that is watched. */
const AGENT_CONNECTIONS_MAX = 16
const SHELLS_MAX = 16
/** Of one admin, so that none of them keeps the others out. systemd before 257 does not count them by user. */
const SHELLS_OF_ONE_MAX = 8

function agentSocketUnit({ origin, path }: Agent): UnitFile {
  return socketUnit(origin, 'Gate agent of this backend', path, [
    { key: 'MaxConnections', value: literal(String(AGENT_CONNECTIONS_MAX)) },
  ])
}

function shellSocketUnit({ origin, shellPath }: Agent): UnitFile {
  return socketUnit(origin, 'Shells in this backend, for admins', shellPath, [
    { key: 'MaxConnections', value: literal(String(SHELLS_MAX)) },
    { key: 'MaxConnectionsPerSource', value: literal(String(SHELLS_OF_ONE_MAX)) },
  ])
}

function socketUnit(origin: SpecPath, description: string, path: string, limits: readonly Entry[]): UnitFile {
  return {
    origin,
    comment: COMMENT,
    sections: [
      { name: 'Unit', entries: [{ key: 'Description', value: text(description) }] },
      {
        name: 'Socket',
        entries: [
          { key: 'ListenStream', value: text(path) },
          { key: 'SocketMode', value: literal('0660') },
          {
            key: 'Accept',
            value: literal('yes'),
            comment: 'a process for each connection, named after the peer that the kernel reports',
          },
          ...limits,
          {
            key: 'TriggerLimitIntervalSec',
            value: literal('0'),
            comment: 'excess connections are refused, but never stop the socket for good',
          },
        ],
      },
    ],
  }
}

function agentServiceUnit(agent: Agent, program: string): UnitFile {
  const { origin, gateway, images, imageArchive } = agent
  const allowed = [
    `--gateway=${gateway}`,
    ...backendFlags(agent),
    ...images.map((image) => `--image=${image}`),
    ...(imageArchive === undefined ? [] : [`--archive=${imageArchive}`]),
  ]
  return connectionUnit(
    origin,
    'Gate agent of this backend, one connection',
    'gate-agent',
    command(program, ...allowed),
  )
}

function shellServiceUnit(agent: Agent, program: string): UnitFile {
  const { origin, gateway, admins } = agent
  const run = command(program, `--admins=${admins}`, `--gateway=${gateway}`, ...backendFlags(agent))
  return connectionUnit(origin, 'Shell in this backend', 'gate-shell', run)
}

function backendFlags({ containerUnit, containerName, onDemand }: Agent): string[] {
  const wakes = onDemand === undefined ? [] : [`--socket=${onDemand.socketUnit}`, `--proxy=${onDemand.proxyUnit}`]
  return [`--service=${containerUnit}`, ...wakes, `--container=${containerName}`]
}

function connectionUnit(origin: SpecPath, description: string, identifier: string, run: Value): UnitFile {
  return {
    origin,
    comment: COMMENT,
    sections: [
      {
        name: 'Unit',
        entries: [
          { key: 'Description', value: text(description) },
          { key: 'CollectMode', value: literal('inactive-or-failed') },
        ],
      },
      {
        name: 'Service',
        entries: [
          {
            key: 'ExecStart',
            value: literal(`${valueText(run)} --peer=%i`),
            comment: 'all that it may touch; %i ends in the user id of the peer that connected',
          },
          { key: 'StandardInput', value: literal('socket') },
          { key: 'StandardError', value: literal('journal') },
          { key: 'SyslogIdentifier', value: literal(identifier) },
          {
            key: 'UMask',
            value: literal('0077'),
            comment:
              'no sandbox: in a user unit any of it implies NoNewPrivileges or a user namespace, where podman finds no newuidmap',
          },
          { key: 'LimitCORE', value: literal('0') },
          { key: 'TasksMax', value: literal('256') },
          { key: 'RuntimeMaxSec', value: literal('12h') },
          {
            key: 'TimeoutStopSec',
            value: literal('2s'),
            comment:
              'what a shell has begun in the container ends when its terminal does, with its conmon, which ignores SIGTERM',
          },
        ],
      },
    ],
  }
}

/** Starts the sockets with the user's manager, without the links that "systemctl enable" makes. */
function wantsDropIn({ origin, onDemand }: Agent): UnitFile {
  const sockets = [AGENT.socket, AGENT.shellSocket, ...(onDemand === undefined ? [] : [onDemand.socketUnit])]
  return {
    origin,
    comment: COMMENT,
    sections: [{ name: 'Unit', entries: [{ key: 'Wants', value: text(sockets.join(' ')) }] }],
  }
}

function unitFile({ uid, home }: { uid: number; home: string }, file: string, unit: UnitFile): OutputFile {
  const path = `quadlet/user-units/${uid}/${file}`
  return { path, install: `${userUnitDirectory(home)}/${file}`, mode: 0o644, ...printUnit(unit) }
}

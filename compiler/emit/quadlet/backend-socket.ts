import type { Layout } from '../../../schemas/deploy/layout.ts'
import { command, type Entry, literal, text, type UnitFile, valueText } from '../../../syntax/unit/print.ts'
import type { BackendSocket } from '../../ir/nodes/backend.ts'

/** File name -> unit: the socket of a backend, and the proxy that takes its connections to the engine. */
export function backendSocketUnits(socket: BackendSocket, programs: Layout['programs']): Record<string, UnitFile> {
  return {
    [socket.socketUnit]: socketUnit(socket),
    [socket.proxyUnit]: proxyUnit(socket, programs),
    ...(socket.preload ? { 'default.target.d/gate-preload.conf': preloadDropIn(socket) } : {}),
  }
}

const COMMENT = ['Made by gatectl from the spec; changes here are lost.']

/** The most connections that one backend holds at a time. */
const CONNECTIONS_MAX = 1024

function socketUnit({ origin, path, proxyUnit: service, containerUnit, onDemand }: BackendSocket): UnitFile {
  const life: Entry[] = onDemand
    ? [{ key: 'Description', value: text(`Wakes ${service}`) }]
    : [
        { key: 'Description', value: text(`Where ${containerUnit} is reached`) },
        // those of a socket would start it before any service
        { key: 'DefaultDependencies', value: literal('no') },
        { key: 'BindsTo', value: text(containerUnit), comment: 'no socket wakes a backend that was stopped' },
        { key: 'After', value: text(containerUnit) },
      ]
  const limit = { key: 'TriggerLimitIntervalSec', value: literal('0'), comment: 'it never stops for good' }
  return {
    origin,
    comment: COMMENT,
    sections: [
      { name: 'Unit', entries: life },
      {
        name: 'Socket',
        entries: [
          { key: 'ListenStream', value: text(path) },
          { key: 'SocketMode', value: literal('0660') },
          { key: 'Service', value: text(service) },
          ...(onDemand ? [] : [limit]),
        ],
      },
    ],
  }
}

function proxyUnit(socket: BackendSocket, programs: Layout['programs']): UnitFile {
  const { origin, socketUnit: from, containerUnit, onDemand, idleMs } = socket
  const limit = { key: 'StartLimitIntervalSec', value: literal('0') }
  return {
    origin,
    comment: COMMENT,
    sections: [
      {
        name: 'Unit',
        entries: [
          {
            key: 'Description',
            value: text(`Forwards to ${containerUnit}${idleMs === undefined ? '' : ' until it is idle'}`),
          },
          { key: 'Requires', value: text(`${from} ${containerUnit}`) },
          { key: 'After', value: text(`${from} ${containerUnit}`) },
          ...(onDemand ? [] : [limit]),
        ],
      },
      {
        name: 'Service',
        entries: [{ key: 'Type', value: literal('notify') }, forwardEntry(socket, programs)],
      },
    ],
  }
}

function forwardEntry({ target, idleMs }: BackendSocket, programs: Layout['programs']): Entry {
  const idle = idleMs === undefined ? [] : [`--exit-idle-time=${Math.ceil(idleMs / 1000)}s`]
  const proxy = [programs.socket_proxy, `--connections-max=${CONNECTIONS_MAX}`, ...idle]
  if (target.kind === 'unix') return { key: 'ExecStart', value: command(...proxy, target.path) }
  const { shell, nsenter } = programs
  // the file names the container's first process; what is opened stays that of the container, whoever gets its number
  const script = `read -r pid <"$1"; ${[
    'exec 8</proc/$pid/ns/user 9</proc/$pid/ns/net',
    '! [ /proc/self/fd/9 -ef /proc/self/ns/net ]',
    'shift',
    'exec "$@"',
  ].join(' && ')}`
  const enter = [nsenter, '--user=/proc/self/fd/8', '--net=/proc/self/fd/9', '--preserve-credentials', '--']
  const line = [valueText(command(shell, '-c', script, shell)), `%t/${target.pidFile}`]
  const rest = valueText(command(...enter, ...proxy, `127.0.0.1:${target.port}`))
  return {
    key: 'ExecStart',
    value: literal([...line, rest].join(' ')),
    comment:
      'inside the network of the container: no port of the host reaches it, so no other program can answer in its place',
  }
}

/** As if a connection had come: it runs until it has been idle, or until another one of its group is wanted. */
function preloadDropIn({ origin, proxyUnit: service }: BackendSocket): UnitFile {
  return {
    origin: [...origin.slice(0, 2), 'preload'],
    comment: COMMENT,
    sections: [{ name: 'Unit', entries: [{ key: 'Wants', value: text(service) }] }],
  }
}

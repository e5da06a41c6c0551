import { command, literal, printUnit, type UnitFile } from '../../../syntax/unit/print.ts'
import type { Deployment } from '../../ir/deployment.ts'
import { quadletDirectory } from '../../ir/names.ts'
import type { ConfigFile, Network, Volume } from '../../ir/nodes/container.ts'
import { configText } from '../config-text.ts'
import type { Emission, EmitOptions, OutputFile } from '../output.ts'
import { COMMENT, containerUnit, ownerEntry, type Quadlet } from './container.ts'
import { userUnitFiles } from './user-units.ts'

/** Quadlets and plain user units of every backend, in directories that belong to root and that its user reads. */
export function emitQuadlet(deployment: Deployment, options: EmitOptions): Emission {
  const units = [
    ...deployment.containers.map((container) => containerUnit(container, options)),
    ...deployment.networks.map((network) => networkUnit(network)),
    ...deployment.volumes.map((volume) => volumeUnit(volume)),
  ]
  return {
    files: [
      ...units.map(({ uid, file, unit }) => quadletFile(uid, file, unit)),
      ...userUnitFiles(deployment, options),
      ...deployment.configFiles.map(configFile),
      ...cdiDirectories(deployment),
    ].sort((a, b) => (a.path < b.path ? -1 : 1)),
    findings: units.flatMap(({ findings }) => findings),
  }
}

function networkUnit({ origin, uid, user, unit }: Network): Quadlet {
  const entries = [
    { key: 'Internal', value: literal('true') },
    { key: 'DisableDNS', value: literal('true') },
  ]
  return {
    uid,
    file: `${unit}.network`,
    findings: [],
    unit: {
      origin,
      comment: COMMENT,
      sections: [
        { name: 'Unit', entries: [ownerEntry({ user })] },
        { name: 'Network', entries },
      ],
    },
  }
}

function volumeUnit({ origin, uid, user, unit }: Volume): Quadlet {
  const entries = [{ key: 'Label', value: command(`gate.volume=${unit}`) }]
  return {
    uid,
    file: `${unit}.volume`,
    findings: [],
    unit: {
      origin,
      comment: COMMENT,
      sections: [
        { name: 'Unit', entries: [ownerEntry({ user })] },
        { name: 'Volume', entries },
      ],
    },
  }
}

function quadletFile(uid: number, file: string, unit: UnitFile): OutputFile {
  return {
    path: `quadlet/users/${uid}/${file}`,
    install: `${quadletDirectory(uid)}/${file}`,
    mode: 0o644,
    ...printUnit(unit),
  }
}

function configFile(file: ConfigFile): OutputFile {
  const name = file.path.slice(file.path.lastIndexOf('/') + 1)
  return { path: `quadlet/config/${file.backend}/${name}`, install: file.path, mode: 0o644, ...configText(file) }
}

/** podman before 5.6 looks for CDI files in /etc/cdi only; the NVIDIA toolkit writes to /var/run/cdi. */
function cdiDirectories({ prefix, containers }: Deployment): OutputFile[] {
  const first = containers.find(({ gpu }) => gpu === 'nvidia')
  if (first === undefined) return []
  const lines = ['[engine]', 'cdi_spec_dirs = ["/etc/cdi", "/var/run/cdi"]']
  return [
    {
      path: `quadlet/containers.conf.d/50-${prefix}-cdi.conf`,
      install: `/etc/containers/containers.conf.d/50-${prefix}-cdi.conf`,
      mode: 0o644,
      text: `${lines.join('\n')}\n`,
      origins: lines.map(() => `${first.origin.join('.')}.gpu`),
    },
  ]
}

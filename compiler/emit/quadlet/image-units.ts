import type { Layout } from '../../../schemas/deploy/layout.ts'
import { command, type Entry, literal, text, type UnitFile } from '../../../syntax/unit/print.ts'
import type { ContainerImage } from '../../ir/nodes/container.ts'

/**
 * File name -> unit: what gets the image of a backend before its container starts, and what a host starts when
 * something of the backend has changed: the new image is there before the old container stops. Nothing where `gatectl
 * apply` does both.
 */
export function imageUnits(image: ContainerImage, { programs, images }: Layout): Record<string, UnitFile> {
  if (images === undefined) return {}
  const { name, image: reference, archive, unit } = image
  const words = [images.fetch, programs.podman, reference, ...(archive === undefined ? [] : [archive])]
  const get: Entry = { key: 'ExecStart', value: command(...words) }
  return {
    [`${unit}-image.service`]: plain(image, `Image of Gate backend ${name}`, [
      { key: 'RemainAfterExit', value: literal('yes') },
      get,
      { key: 'Restart', value: literal('on-failure') },
      { key: 'RestartSec', value: literal('30s') },
    ]),
    [`${unit}-update.service`]: plain(image, `New image and settings of Gate backend ${name}`, [
      get,
      ...image.restart.map((restarted) => ({
        key: 'ExecStart',
        value: command(programs.systemctl, '--user', 'try-restart', restarted),
      })),
    ]),
    [`${unit}.service.d/50-image.conf`]: containerDropIn(image, images.search_path),
  }
}

function plain({ origin }: ContainerImage, description: string, service: readonly Entry[]): UnitFile {
  return {
    origin,
    comment: COMMENT,
    sections: [
      {
        name: 'Unit',
        entries: [
          { key: 'Description', value: text(description) },
          // never give up on an image that cannot be had now
          { key: 'StartLimitIntervalSec', value: literal('0') },
        ],
      },
      {
        name: 'Service',
        entries: [
          { key: 'Type', value: literal('oneshot') },
          ...service,
          { key: 'TimeoutStartSec', value: literal('infinity') },
        ],
      },
    ],
  }
}

function containerDropIn({ origin, unit }: ContainerImage, searchPath: readonly string[]): UnitFile {
  const path: Entry = { key: 'Environment', value: command(`PATH=${searchPath.join(':')}`) }
  return {
    origin,
    comment: COMMENT,
    sections: [
      {
        name: 'Unit',
        entries: ['Requires', 'After'].map((key) => ({ key, value: text(`${unit}-image.service`) })),
      },
      { name: 'Service', entries: searchPath.length === 0 ? [] : [path] },
    ],
  }
}

const COMMENT = ['Made by gatectl from the spec; changes here are lost.']

import type { BackendSpec } from '../../schemas/spec/spec.ts'
import { INSIDE } from './names.ts'

/** Fills in what `{name}` stands for in arguments and environment; other braces stay as they are. */
export type Fill = (text: string) => string

/** @param links address of each backend that this one reaches */
export function placeholders(
  { engine, model = '', files }: BackendSpec,
  containerPort: number,
  links: ReadonlyMap<string, string> = new Map(),
): Fill {
  const known = new Map([
    ...links,
    ...Object.entries(files).map(([name, file]) => [name, `${INSIDE.modelsDirectory}/${file}`] as const),
    ...(engine === 'custom'
      ? ([
          ['socket', INSIDE.socket],
          ['port', String(containerPort)],
          ['model', `${INSIDE.modelsDirectory}/${model}`],
        ] as const)
      : []),
  ])
  return (text) => text.replaceAll(/\{([a-z0-9_-]+)\}/g, (whole, name: string) => known.get(name) ?? whole)
}

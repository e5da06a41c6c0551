import type { Subject } from './check.ts'
import { namesIn, runtimeConfigText, textOf } from './look.ts'
import { namesSecret } from './redact.ts'

/**
 * Every secret of this host that this caller can read, so that it is found wherever it appears: environment and
 * credential files, generated secrets, the secrets of backends, variables of gatectl itself.
 */
export async function readSecrets({ deployment, names, env }: Subject): Promise<string[]> {
  const [credstore, generated, backends] = await Promise.all([
    filesIn('/etc/credstore'),
    filesIn(names.generatedDirectory),
    namesIn(names.secretsDirectory),
  ])
  const sources = (deployment?.secrets ?? []).flatMap(({ source }) => ('file' in source ? [source.file] : []))
  const keys = deployment?.gateway.tls.kind === 'files' ? [deployment.gateway.tls.key] : []
  const environments = [
    names.environmentFile,
    ...backends.map((name) => `${names.secretsDirectory}/${name}/environment`),
  ]
  const texts = await Promise.all([...credstore, ...generated, ...sources, ...keys].map(textOf))
  const assignments = [...(await Promise.all(environments.map(textOf))), runtimeConfigText(names.stateDirectory) ?? '']
  const own = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && (name.startsWith('GATE_') || namesSecret(name)) ? [value] : [],
  )
  return distinct([...texts.flatMap(wholeAndLines), ...assignments.flatMap(assignedValues), ...own])
}

async function filesIn(directory: string): Promise<string[]> {
  return (await namesIn(directory)).map((name) => `${directory}/${name}`)
}

/** A secret is a file's text, or its first line. */
function wholeAndLines(text: string): string[] {
  return [text.trim(), ...text.split('\n').map((line) => line.trim())]
}

/** The values of `NAME=value` and `name = "value"`: of an environment file every one, of a TOML file the texts. */
export function assignedValues(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [, name = '', raw = ''] = /^\s*(?:export\s+)?([\w.-]+)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    const quoted = /^(["'])(.*)\1$/.exec(raw)
    const value = quoted?.[2] ?? raw
    // words such as "debug" or numbers are in every log; a secret in such a place is named like one
    return name !== '' && (namesSecret(name) || !/^(?:[a-z]{1,8}|[\d.]+)$/.test(value)) ? [value] : []
  })
}

/** Too short to be looked for: they would be found everywhere. */
const SHORTEST = 4

function distinct(secrets: readonly string[]): string[] {
  return [...new Set(secrets)].filter((secret) => secret.length >= SHORTEST)
}

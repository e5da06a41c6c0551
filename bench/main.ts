// npm run bench -- COMMAND; README.md says how each figure is made.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { accessText, benchAccess } from './access.ts'
import { sourcesOf } from './before.ts'
import { takeCores } from './children.ts'
import { benchCompile, compileText } from './compile.ts'
import { benchGateway } from './gateway.ts'
import { installMissing } from './install.ts'
import { benchModels, modelsText } from './models.ts'
import { benchPrefix, prefixText } from './prefix.ts'
import { benchRelay, relayText } from './relay.ts'
import { SERVERS, type ServerName, setBeforeFolder } from './servers.ts'
import { benchSignIn, signInText } from './signin.ts'
import { benchSoak, soakText } from './soak.ts'
import { gatewayText } from './table.ts'
import { benchTls, tlsText } from './tls.ts'
import { benchTranslation } from './translation.ts'
import { absentText, translationText } from './translation-table.ts'

const USAGE = `usage: npm run bench -- install
       npm run bench -- gateway [--only ${SERVERS.join(',')}] [--seconds 2] [--runs 5] [--before COMMIT]
       npm run bench -- translation [--only ${SERVERS.join(',')}] [--seconds 2] [--runs 5]
       npm run bench -- tls [--seconds 2] [--runs 5]
       npm run bench -- access [--seconds 2] [--runs 5]
       npm run bench -- relay [--seconds 2] [--runs 5]
       npm run bench -- soak [--requests 2000000] [--minutes 15]
       npm run bench -- signin
       npm run bench -- models
       npm run bench -- prefix
       npm run bench -- compile [--runs 5]
all of them: [--nice 0] [--json FILE]`

/** What is asked for on the command line. */
type Options = {
  readonly servers: readonly ServerName[]
  readonly seconds: number
  readonly runs: number
  /** Of an earlier Gate, which is measured beside this one. */
  readonly before: string | undefined
  readonly requests: number
  readonly minutes: number
}

/** What is measured, and what it says as Markdown. */
type Measured = { readonly report: object; readonly text: string }

/** @param signal ends it early */
const COMMANDS: Readonly<Record<string, (options: Options, signal: AbortSignal) => Promise<Measured>>> = {
  async gateway(options, signal) {
    const { servers, absent } = installed(options.servers)
    using before = options.before === undefined ? undefined : sourcesOf(options.before)
    if (before !== undefined) setBeforeFolder(before.folder)
    const withBefore =
      before === undefined ? servers : SERVERS.filter((name) => name === 'before' || servers.includes(name))
    const report = await benchGateway({ ...options, servers: withBefore }, signal)
    return { report, text: [gatewayText(report), absentText(absent)].join('\n\n').trimEnd() }
  },
  async translation(options, signal) {
    const { servers, absent } = installed(options.servers)
    const report = await benchTranslation({ ...options, servers }, signal)
    return { report, text: translationText(report, absent) }
  },
  async tls(options, signal) {
    installMissing([])
    const report = await benchTls(options, signal)
    return { report, text: tlsText(report) }
  },
  async access(options, signal) {
    installMissing([])
    const report = await benchAccess(options, signal)
    return { report, text: accessText(report) }
  },
  async relay(options, signal) {
    const report = await benchRelay(options, signal)
    return { report, text: relayText(report) }
  },
  async prefix(_, signal) {
    const report = await benchPrefix(signal)
    return { report, text: prefixText(report) }
  },
  async models(_, signal) {
    installMissing(['litellm'])
    const report = await benchModels(signal)
    return { report, text: modelsText(report) }
  },
  async signin(_, signal) {
    const report = await benchSignIn(signal)
    return { report, text: signInText(report) }
  },
  async soak(options, signal) {
    const report = await benchSoak(options, signal)
    return { report, text: soakText(report) }
  },
}

async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      only: { type: 'string', default: SERVERS.filter((name) => name !== 'before').join(',') },
      seconds: { type: 'string', default: '2' },
      runs: { type: 'string', default: '5' },
      before: { type: 'string' },
      requests: { type: 'string', default: '2000000' },
      minutes: { type: 'string', default: '15' },
      nice: { type: 'string', default: '0' },
      json: { type: 'string' },
    },
  })
  const name = positionals.join(' ')
  const options = {
    servers: values.only.split(',').map(serverName),
    seconds: wholeNumber('seconds', values.seconds, 1),
    runs: wholeNumber('runs', values.runs, 1),
    before: values.before,
    requests: wholeNumber('requests', values.requests, 1),
    minutes: wholeNumber('minutes', values.minutes, 1),
  }
  if (name === 'install') {
    console.log(absentText(installed(options.servers).absent))
    return
  }
  if (name === 'compile') {
    const report = benchCompile(options.runs)
    tell({ report, text: compileText(report) }, values.json)
    return
  }
  const command = COMMANDS[name]
  if (command === undefined) throw new Error(USAGE)
  using _cores = takeCores(wholeNumber('nice', values.nice, -20))
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => stop.abort(new Error(`stopped by ${signal}`)))
  const measured = await command(options, stop.signal).catch((error: unknown) => {
    throw stop.signal.aborted ? stop.signal.reason : error
  })
  tell(measured, values.json)
}

function tell({ report, text }: Measured, file: string | undefined): void {
  console.log(text)
  if (file !== undefined) writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`)
}

/** Installs the servers that are asked for, as far as that is possible. */
function installed(asked: readonly ServerName[]) {
  const absent = installMissing(asked)
  return { servers: asked.filter((name) => !absent.has(name)), absent }
}

function serverName(text: string): ServerName {
  const name = SERVERS.find((known) => known === text)
  if (name === undefined) throw new Error(`--only: no server "${text}"; there are ${SERVERS.join(', ')}`)
  return name
}

function wholeNumber(option: string, text: string, least: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < least)
    throw new Error(`--${option}: "${text}" is no whole number from ${least}`)
  return value
}

if (import.meta.main) {
  try {
    await main(process.argv.slice(2))
  } catch (error) {
    console.error(`bench: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  }
}

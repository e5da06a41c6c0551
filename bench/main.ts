// npm run bench -- gateway | compile; README.md says how each figure is made.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { takeCores } from './children.ts'
import { benchCompile, compileText } from './compile.ts'
import { benchGateway } from './gateway.ts'
import { installMissing } from './install.ts'
import { SERVERS, type ServerName } from './servers.ts'
import { gatewayText } from './table.ts'

const USAGE = `usage: npm run bench -- gateway [--only ${SERVERS.join(',')}] [--seconds 2] [--runs 5] [--nice 0] [--json FILE]
       npm run bench -- compile [--runs 5] [--json FILE]`

async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      only: { type: 'string', default: SERVERS.join(',') },
      seconds: { type: 'string', default: '2' },
      runs: { type: 'string', default: '5' },
      nice: { type: 'string', default: '0' },
      json: { type: 'string' },
    },
  })
  if (positionals.join(' ') === 'compile') {
    const report = benchCompile(wholeNumber('runs', values.runs, 1))
    console.log(compileText(report))
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`)
    return
  }
  if (positionals.join(' ') !== 'gateway') throw new Error(USAGE)
  const servers = values.only.split(',').map(serverName)
  const options = {
    servers,
    seconds: wholeNumber('seconds', values.seconds, 1),
    runs: wholeNumber('runs', values.runs, 1),
  }
  installMissing({ portkey: servers.includes('portkey') })
  using _cores = takeCores(wholeNumber('nice', values.nice, -20))
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort(new Error(`stopped by ${name}`)))
  const report = await benchGateway(options, stop.signal).catch((error: unknown) => {
    throw stop.signal.aborted ? stop.signal.reason : error
  })
  console.log(gatewayText(report))
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`)
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

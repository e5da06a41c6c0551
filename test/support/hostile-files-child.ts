import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openConfig } from '../../config/open-config.ts'
import { HOSTILE_FILES } from './hostile-files.ts'
import { startStallMeter } from './stall-meter.ts'

// The configuration of a daemon in a process of its own, beside a timer that sees how long the loop did not turn. Reads
// the files that it is told of, by kind and size, and answers with the longest stall of each.

const TURN_MS = 5

const folder = mkdtempSync(join(tmpdir(), 'gate-hostile-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const file = join(folder, 'config.toml')
const USUAL = '[server]\nallow_from = ["192.0.2.0/24"]\n'
writeFileSync(file, USUAL)
let logged = 0
const config = openConfig({
  env: {},
  stateDirectory: folder,
  runtimeFile: undefined,
  declaredFile: undefined,
  credentialsDirectory: undefined,
  log: (_level, message, fields = {}) => {
    logged += message.length + JSON.stringify(fields).length
  },
})

const meter = startStallMeter()
const turn = () => new Promise<void>((resolve) => setTimeout(resolve, TURN_MS))

type Order = { readonly kind: string; readonly bytes: number; readonly how: 'reload' | 'validate' }

async function read({ kind, bytes, how }: Order) {
  const text = HOSTILE_FILES[kind]?.(bytes) ?? ''
  // what is in force is read again beside a file that is wrong: here that is a usual one
  writeFileSync(file, USUAL)
  await config.reload()
  await turn()
  logged = 0
  writeFileSync(file, text)
  meter.take()
  const told = how === 'reload' ? (await config.reload()).problems : config.validate(String(text))
  await turn()
  return { longestStallMs: meter.take(), logged, told: told.length, closed: config.closed() ?? null }
}

process.on('message', (order: Order) => void read(order).then((seen) => process.send?.(seen)))
process.once('disconnect', () => process.exit())
process.send?.('ready')

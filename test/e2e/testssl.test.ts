import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { issuedCertificate } from '../support/certificate.ts'
import { isLong } from '../support/effort.ts'
import { hasProgram } from '../support/programs.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { startTlsDaemon, type TlsDaemon } from '../support/tls-daemon.ts'

type Finding = { readonly id: string; readonly severity: string; readonly finding: string }

/** Findings that say nothing of the server. */
const ABOUT_THE_TEST = [
  // its client may leave before the ticket has come, and then has none to come back with; tls-matrix.test.ts resumes
  'sessionresumption_ticket',
  'engine_problem', // of the client's own library
  'scanProblem', // it takes no answer to its odd requests for one
]
const ABOVE_LOW = ['MEDIUM', 'HIGH', 'CRITICAL', 'WARN', 'FATAL']

describe.skipIf(!isLong || !hasProgram('testssl'))('testssl.sh', () => {
  const directory = temporaryDirectory()
  let gate: TlsDaemon
  let ca = ''
  beforeAll(async () => {
    const issued = issuedCertificate(directory.path, ['localhost'])
    ca = issued.ca
    gate = await startTlsDaemon({ GATE_TLS__FILES__CERT: issued.cert, GATE_TLS__FILES__KEY: issued.key })
  })
  afterAll(async () => {
    await gate?.stop()
    gate?.remove()
    directory.remove()
  })

  test('finds nothing above "low"', async () => {
    const file = directory.file('findings.json')
    const { port } = new URL(gate.https)
    const quiet = ['--quiet', '--color', '0', '--warnings', 'off', '--nodns', 'none', '--ip', '127.0.0.1']
    const args = [...quiet, '--add-ca', ca, '--jsonfile', file, `https://localhost:${port}`]
    const child = spawn('testssl', args, { stdio: 'ignore', cwd: directory.path })
    await new Promise((resolve) => child.once('close', resolve))
    const findings: readonly Finding[] = JSON.parse(readFileSync(file, 'utf8'))
    const above = findings.filter(({ id, severity }) => ABOVE_LOW.includes(severity) && !ABOUT_THE_TEST.includes(id))
    expect(above).toEqual([])
    expect(findings.length).toBeGreaterThan(100)
    expect(findings).toContainEqual(expect.objectContaining({ id: 'TLS1_3', severity: 'OK' }))
  })
})

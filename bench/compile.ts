// npm run bench -- compile: how long the compiler takes for many backends, and readers of the same size beside it.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { CompileRun } from './compile-run.ts'
import { median } from './statistics.ts'
import { count, markdownTable } from './table.ts'

export type CompileReport = {
  readonly date: string
  readonly node: string
  readonly runs: number
  readonly loadAverage: number
  readonly rows: readonly CompileRow[]
}

export type CompileRow = CompileRun & { readonly what: string; readonly backends: number }

const runSchema = z.strictObject({ wallMs: z.number(), cpuMs: z.number(), maxRssBytes: z.number() })

/** Each figure is the median of the runs; each run is a process of its own, its start not counted. */
export function benchCompile(runs: number): CompileReport {
  const folder = mkdtempSync(join(tmpdir(), 'gate-bench-'))
  try {
    const rows = [1_000, 10_000].flatMap((backends) => {
      const file = join(folder, `compose-${backends}.yaml`)
      child('compose-file', backends, file)
      return [
        row('Gate: spec to quadlets, every check', backends, runs, () => child('quadlet', backends)),
        row('Gate: spec to a Compose file', backends, runs, () => child('compose', backends)),
        row('floor: the spec by smol-toml to JSON, no check', backends, runs, () => child('toml', backends)),
        row('floor: that Compose file by yaml and back, no check', backends, runs, () => child('yaml', backends, file)),
        ...composePeer(file, backends, runs),
      ]
    })
    return { date: new Date().toISOString(), node: process.version, runs, loadAverage: loadavg()[0] ?? 0, rows }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The report as Markdown. */
export function compileText({ date, node, runs, loadAverage, rows }: CompileReport): string {
  const table = rows.map(({ what, backends, wallMs, cpuMs, maxRssBytes }) => [
    what,
    count(backends),
    count(wallMs),
    count(cpuMs),
    count(maxRssBytes / 2 ** 20),
  ])
  const head = ['what', 'backends', 'ms', 'CPU ms', 'most RSS MiB']
  const growth = rows.filter(({ what }) => what === rows[0]?.what).map(({ cpuMs }) => cpuMs)
  const ratio = (growth[1] ?? Number.NaN) / (growth[0] ?? Number.NaN)
  return [
    markdownTable([head, ...table]),
    `ten times the backends cost ${count(ratio, 1)} times the CPU time`,
    `${date}, Node ${node}, medians of ${runs} runs, load average ${loadAverage.toFixed(1)}`,
  ].join('\n\n')
}

function row(what: string, backends: number, runs: number, measure: () => CompileRun): CompileRow {
  const all = Array.from({ length: runs }, measure)
  const middle = (of: (run: CompileRun) => number) => median(all.map(of))
  return {
    what,
    backends,
    wallMs: middle((run) => run.wallMs),
    cpuMs: middle((run) => run.cpuMs),
    maxRssBytes: middle((run) => run.maxRssBytes),
  }
}

function child(kind: string, backends: number, ...file: readonly string[]): CompileRun {
  const script = join(import.meta.dirname, 'compile-run.ts')
  const run = spawnSync(process.execPath, [script, kind, String(backends), ...file], { encoding: 'utf8' })
  if (run.status !== 0) throw new Error(`compile-run ${kind} failed: ${run.stderr}`)
  return runSchema.parse(JSON.parse(run.stdout))
}

/** What other people's checker takes for the same containers, when it is installed; its start is counted. */
function composePeer(file: string, backends: number, runs: number): CompileRow[] {
  // ten thousand services would take it minutes
  if (backends > 1_000 || spawnSync('docker-compose', ['--version']).status !== 0) return []
  const what = 'docker-compose config of that file, start included'
  return [row(what, backends, runs, () => timed('docker-compose', ['--file', file, 'config', '--quiet']))]
}

/** GNU time(1) reports seconds and KiB. */
function timed(command: string, args: readonly string[]): CompileRun {
  const start = performance.now()
  const run = spawnSync('/usr/bin/time', ['--format', '%U %S %M', command, ...args], {
    encoding: 'utf8',
    env: { ...process.env, BACKEND_KEY: 'x' },
  })
  const wallMs = performance.now() - start
  const [user, system, kib] = (run.stderr.trim().split('\n').at(-1) ?? '').split(' ').map(Number)
  if (run.status !== 0 || user === undefined || system === undefined || kib === undefined)
    throw new Error(`${command} failed: ${run.stderr}`)
  return { wallMs, cpuMs: (user + system) * 1000, maxRssBytes: kib * 1024 }
}

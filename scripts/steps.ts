// Runs the steps of a check, several lanes of them side by side, and says at the end what came of each.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'

const root = join(import.meta.dirname, '..')

/** A step: what it is called, and the program with its arguments. */
export type Step = {
  readonly name: string
  readonly command: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** What came of a step. */
export type StepResult = {
  readonly name: string
  readonly ok: boolean
  readonly seconds: number
  /** Only of steps that run vitest, and only when it came to its end. */
  readonly tests: Tests | undefined
}

type Tests = {
  readonly passed: number
  /** `file > title` of each. */
  readonly skipped: readonly string[]
  readonly failed: readonly string[]
}

/** Runs every lane at once, and the steps of a lane one after the other, all of them even when one fails. */
export async function runLanes(lanes: readonly (readonly Step[])[]): Promise<StepResult[]> {
  const width = Math.max(...lanes.flat().map(({ name }) => name.length))
  const results = await Promise.all(
    lanes.map(async (steps) => {
      const done: StepResult[] = []
      for (const step of steps) done.push(await runStep(step, step.name.padEnd(width)))
      return done
    }),
  )
  return results.flat()
}

/** What vitest needs so that `runLanes` can count its tests. */
export const vitest = (name: string, project: string, ...args: readonly string[]): Step => ({
  name,
  command: ['vitest', 'run', '--project', project, '--reporter=default', '--reporter=json', ...args],
})

async function runStep({ name, command, env }: Step, label: string): Promise<StepResult> {
  const report = join(root, '.cache/steps', `${name}.json`)
  mkdirSync(join(report, '..'), { recursive: true })
  rmSync(report, { force: true })
  const [program = '', ...rest] = command
  const args = program === 'vitest' ? [...rest, `--outputFile.json=${report}`] : rest
  console.log(`${label} | ${command.join(' ')}`)
  const begun = performance.now()
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const printed = [child.stdout, child.stderr].map(async (stream) => {
    for await (const line of createInterface({ input: stream })) console.log(`${label} | ${line}`)
  })
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      console.log(`${label} | ${error.message}`)
      resolve(null)
    })
    child.once('close', resolve)
  })
  await Promise.all(printed)
  const tests = existsSync(report) ? readTests(readFileSync(report, 'utf8')) : undefined
  const seconds = (performance.now() - begun) / 1_000
  console.log(`${label} | ${code === 0 ? 'ok' : `failed (exit code ${code})`} after ${seconds.toFixed(1)} s`)
  return { name, ok: code === 0, seconds, tests }
}

const reportSchema = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      assertionResults: z.array(
        z.object({ ancestorTitles: z.array(z.string()), title: z.string(), status: z.string() }),
      ),
    }),
  ),
})

/** Reads the report of vitest's reporter "json". A file that failed outside of its tests counts as one that failed. */
export function readTests(report: string): Tests {
  const files = reportSchema.parse(JSON.parse(report)).testResults
  const tests = files.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ ancestorTitles, title, status }) => ({
      title: [relative(root, name), ...ancestorTitles, title].join(' > '),
      status,
    })),
  )
  const titles = (...wanted: string[]) =>
    tests.filter(({ status }) => wanted.includes(status)).map(({ title }) => title)
  const broken = files.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  )
  return {
    passed: titles('passed').length,
    skipped: titles('skipped', 'pending', 'todo', 'disabled'),
    failed: [...titles('failed'), ...broken.map(({ name }) => `${relative(root, name)} (the file itself)`)],
  }
}

/** The reason is in the title, as `(needs …)`. */
const skippedLine = (title: string): string =>
  title.includes('(needs ') ? `  ${title}` : `  ${title} (its title gives no reason)`

/** The last lines of a check: each step with its time, what was skipped and why, what failed. */
export function summary(results: readonly StepResult[], seconds: number): string {
  const width = Math.max(...results.map(({ name }) => name.length))
  const rows = results.map(({ name, ok, seconds, tests }) => {
    const counts = tests && `${tests.passed} passed, ${tests.skipped.length} skipped, ${tests.failed.length} failed`
    const row = `  ${name.padEnd(width)}  ${seconds.toFixed(1).padStart(6)} s  ${ok ? 'ok    ' : 'failed'}  ${counts ?? ''}`
    return row.trimEnd()
  })
  const skipped = results.flatMap(({ tests }) => (tests?.skipped ?? []).map(skippedLine))
  const failed = results
    .filter(({ ok }) => !ok)
    .flatMap(({ name, tests }) => {
      const named = (tests?.failed ?? []).map((title) => `  ${name}: ${title}`)
      return named.length > 0 ? named : [`  ${name}: the step itself, see its lines above`]
    })
  const time = `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
  return [
    `\nsteps (${time}):`,
    ...rows,
    ...(skipped.length > 0 ? [`\nskipped (${skipped.length}); each says what it needs:`, ...skipped] : []),
    ...(failed.length > 0 ? [`\nfailed (${failed.length}):`, ...failed] : ['\nall checks passed']),
  ].join('\n')
}

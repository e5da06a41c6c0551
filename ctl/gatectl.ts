import { escapeControls } from '../syntax/terminal/log-line.ts'
import { createClient } from './client.ts'
import { type CommandLine, parseCommandLine } from './command-line.ts'
import { COMMANDS } from './command-table.ts'
import { Failure } from './failure.ts'
import type { Invocation } from './invocation.ts'
import { problemLines } from './output/problem-lines.ts'
import { socketPaths } from './socket-paths.ts'

/** Runs one command line. @returns the exit code, once everything was handed to standard output */
export async function runGatectl(argv: readonly string[]): Promise<number> {
  const json = argv.includes('--json')
  process.stdout.on('error', stopWhenReaderLeft)
  process.stderr.on('error', () => process.exit(1)) // no reader is left
  try {
    const line = parseCommandLine(argv)
    switch (line.kind) {
      case 'version': {
        const { packageVersion } = await import('../system/version.ts')
        if (line.json) printJson({ version: packageVersion() })
        else print(`gatectl ${packageVersion()}`)
        return 0
      }
      case 'help': {
        const { helpText } = await import('./help.ts')
        print(helpText(line.about))
        return 0
      }
      case 'run': {
        const { run } = await line.command.load()
        return await run(invocationOf(line))
      }
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    report(error, json)
    return error.exitCode
  }
}

function invocationOf(line: CommandLine & { readonly kind: 'run' }): Invocation {
  const { values } = line
  const text = (name: string) => {
    const value = values[name]
    return typeof value === 'string' ? value : undefined
  }
  return {
    arguments: line.arguments,
    text,
    texts: (name) => [values[name] ?? []].flat().filter((value) => typeof value === 'string'),
    flag: (name) => values[name] === true,
    json: values['json'] === true,
    admin: createClient(socketPaths(text('socket'), process.env)),
    commands: COMMANDS,
    print,
    printJson,
    note,
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

function printJson(value: unknown): void {
  print(escapeControls(JSON.stringify(value)))
}

function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

function report({ problem }: Failure, json: boolean): void {
  if (json) {
    note(escapeControls(JSON.stringify(problem)))
    return
  }
  note(`gatectl: ${escapeControls(problem.detail)}`)
  const problems = problem.problems ?? []
  if (problems.length > 1) for (const line of problems.flatMap(problemLines)) note(`  ${line}`) // one is the detail
  for (const line of problem.hint?.split('\n') ?? []) note(`  ${escapeControls(line)}`)
}

/** `gatectl logs | head` is not a failure: the reader had enough. A full disk is one. */
function stopWhenReaderLeft(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0)
  process.stderr.write(`gatectl: cannot write the output: ${error.message}\n`)
  process.exit(1)
}

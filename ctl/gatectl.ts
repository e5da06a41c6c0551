import { escapeControls } from '../syntax/terminal/log-line.ts'
import { createClient } from './client.ts'
import { type CommandLine, parseCommandLine } from './command-line.ts'
import { COMMANDS } from './command-table.ts'
import { daemonTransport } from './daemon-transport.ts'
import { Failure } from './failure.ts'
import type { Invocation } from './invocation.ts'
import { printed } from './output/printed.ts'
import { problemLines } from './output/problem-lines.ts'
import type { Surroundings } from './surroundings.ts'

/** Runs one command line. @returns the exit code, once everything was handed to standard output */
export async function runGatectl(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const json = argv.includes('--json')
  const { print, printJson, note } = printersOf(surroundings)
  try {
    const line = parseCommandLine(argv)
    switch (line.kind) {
      case 'version': {
        const { run } = await import('./commands/about/version.ts')
        return await run({ json: line.json, print, printJson })
      }
      case 'help': {
        const { helpText } = await import('./help.ts')
        print(helpText(line.about, COMMANDS))
        return 0
      }
      case 'run': {
        const { run } = await line.command.load()
        return await run(invocationOf(line, surroundings))
      }
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    report(error, json, note)
    return error.exitCode
  }
}

function invocationOf(line: CommandLine & { readonly kind: 'run' }, surroundings: Surroundings): Invocation {
  const { values } = line
  const text = (name: string) => {
    const value = values[name]
    return typeof value === 'string' ? value : undefined
  }
  return {
    ...surroundings,
    ...printersOf(surroundings),
    arguments: line.arguments,
    text,
    texts: (name) => [values[name] ?? []].flat().filter((value) => typeof value === 'string'),
    flag: (name) => values[name] === true,
    json: values['json'] === true,
    admin: createClient(() =>
      daemonTransport({ gateway: text('gateway'), socket: text('socket') }, surroundings.env, Date.now),
    ),
    commands: COMMANDS,
  }
}

function printersOf({ stdout, stderr }: Surroundings): Pick<Invocation, 'print' | 'printJson' | 'note'> {
  const print = (text: string): void => {
    stdout.write(`${printed(text)}\n`)
  }
  const note = (text: string): void => {
    stderr.write(`${printed(text)}\n`)
  }
  return { print, printJson: (value) => print(escapeControls(JSON.stringify(value))), note }
}

function report({ problem }: Failure, json: boolean, note: Invocation['note']): void {
  if (json) {
    note(escapeControls(JSON.stringify(problem)))
    return
  }
  note(`gatectl: ${escapeControls(problem.detail)}`)
  const problems = problem.problems ?? []
  if (problems.length > 1) for (const line of problems.flatMap(problemLines)) note(`  ${line}`) // one is the detail
  for (const line of problem.hint?.split('\n') ?? []) note(`  ${escapeControls(line)}`)
}

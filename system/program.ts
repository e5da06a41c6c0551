import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { openHeldFile } from './held-directory.ts'

/** How a program ended. `cut-off`: the time or the signal was over first; what it wrote until then is there. */
export type Ended =
  | { readonly kind: 'exited'; readonly code: number; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'cut-off'; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'not-started'; readonly cause: Error }

export type ProgramOptions = {
  /** All of it: nothing is inherited. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Standard input; never a secret in the arguments, which every user can read. Empty when absent. */
  readonly input?: string
  /**
   * Standard input from a file that is opened here, with the rights of this process, through no link of another account.
   */
  readonly inputFile?: string
  /** Standard output goes to this open file, and nothing of it is kept. */
  readonly outputTo?: number
  /** What is kept of standard output and standard error each; the rest is read and dropped. */
  readonly stdoutMaxBytes: number
  readonly stderrMaxBytes: number
  readonly timeoutMs?: number
  /** Gives up as at the time limit. */
  readonly signal?: AbortSignal
  /** Between SIGTERM and SIGKILL when it is cut off; 0: killed at once. */
  readonly graceMs: number
  /**
   * A session of its own: what runs as another user must not reach the terminal of root, and write commands into it.
   */
  readonly ownSession?: boolean
  /** Takes one stream line by line, as fast as `line` resolves; nothing of it is kept. */
  readonly take?: { readonly from: 'stdout' | 'stderr'; readonly line: (line: string) => Promise<void> }
}

/**
 * Runs a program without a shell, in `/`, to its end. Does not throw when it fails or is not there; only when its input
 * file cannot be opened, and what `take.line` throws.
 */
export async function runToEnd(command: readonly string[], options: ProgramOptions): Promise<Ended> {
  const child = start(command, options)
  const outcome = outcomeOf(child, options)
  const texts = {
    stdout: options.take?.from === 'stdout' ? () => '' : keep(child.stdout, options.stdoutMaxBytes),
    stderr: options.take?.from === 'stderr' ? () => '' : keep(child.stderr, options.stderrMaxBytes),
  }
  if (options.take !== undefined) await takeLines(child[options.take.from], options.take.line, outcome)
  const ended = await outcome
  return ended.kind === 'not-started' ? ended : { ...ended, stdout: texts.stdout(), stderr: texts.stderr() }
}

function start([file = '', ...args]: readonly string[], options: ProgramOptions) {
  const { env, input, inputFile, outputTo, ownSession } = options
  const opened = inputFile === undefined ? undefined : openHeldFile(inputFile)
  const stdin = opened ?? (input === undefined ? 'ignore' : 'pipe')
  const child = spawn(file, args, {
    stdio: [stdin, outputTo ?? 'pipe', 'pipe'],
    cwd: '/',
    env: { ...env },
    detached: ownSession ?? false,
  })
  if (opened !== undefined) closeSync(opened)
  child.stdin?.on('error', () => {}) // a program that does not read its input
  child.stdin?.end(input)
  return child
}

type Outcome =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'cut-off' }
  | { readonly kind: 'not-started'; readonly cause: Error }

function outcomeOf(child: ChildProcess, { timeoutMs, signal, graceMs }: ProgramOptions): Promise<Outcome> {
  return new Promise((resolve) => {
    let isCut = false
    let killing: NodeJS.Timeout | undefined
    const end = (outcome: Outcome) => {
      clearTimeout(timer)
      clearTimeout(killing)
      signal?.removeEventListener('abort', cut)
      resolve(outcome)
    }
    // one that cannot be killed, or has children that hold its output open, is left behind
    const kill = () => {
      child.kill('SIGKILL')
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy()
      child.unref()
      end({ kind: 'cut-off' })
    }
    const cut = () => {
      if (isCut) return
      isCut = true
      if (graceMs === 0) return kill()
      child.kill('SIGTERM')
      killing = setTimeout(kill, graceMs)
    }
    const timer = timeoutMs === undefined ? undefined : setTimeout(cut, timeoutMs)
    signal?.addEventListener('abort', cut, { once: true })
    child.once('error', (cause) => end({ kind: 'not-started', cause }))
    child.once('close', (code) => end(isCut ? { kind: 'cut-off' } : { kind: 'exited', code: code ?? 1 }))
    if (signal?.aborted) cut()
  })
}

/** @returns the text of the first `maxBytes`, once the program has ended */
function keep(stream: Readable | null, maxBytes: number): () => string {
  const chunks: Buffer[] = []
  let bytes = 0
  stream?.on('data', (chunk: Buffer) => {
    if (bytes < maxBytes) chunks.push(chunk.subarray(0, maxBytes - bytes))
    bytes += chunk.length
  })
  return () => Buffer.concat(chunks).toString('utf8')
}

async function takeLines(
  stream: Readable | null,
  take: (line: string) => Promise<void>,
  outcome: Promise<Outcome>,
): Promise<void> {
  if (stream === null) return
  let isOver = false
  const lines = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })
  void outcome.then(({ kind }) => {
    if (kind === 'exited') return
    isOver = true
    lines.close() // a stream that was destroyed has no end
  })
  for await (const line of lines) {
    if (isOver) return
    await take(line)
  }
}

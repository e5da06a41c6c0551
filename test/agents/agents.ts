import { join } from 'node:path'

/** A coding agent, as the test runs it. */
export type Agent = {
  /** The word for it of `gatectl client`. */
  readonly client: 'claude' | 'codex' | 'gemini' | 'opencode' | 'aider'
  /** Folder that its program is in, below this one. */
  readonly program: string
  /** What comes after the command that `gatectl client` says to start. */
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** What it says in the end, when that is not what the model says to the result of a tool: it has none, and asks once. */
  readonly says?: string
}

const arch = process.arch === 'arm64' ? 'arm64' : 'x64'

/** Each is asked for a task that takes a tool call and its result. @see test/engine/tiny-model.ts for the keywords */
export const AGENTS: readonly Agent[] = [
  {
    client: 'claude',
    program: `node_modules/@anthropic-ai/claude-code-linux-${arch}`,
    // its own tools have 50,000 tokens
    args: ['-p', 'please #bash', '--tools', 'Bash', '--dangerously-skip-permissions'],
    env: { IS_SANDBOX: '1', CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' },
  },
  {
    client: 'codex',
    program: 'node_modules/.bin',
    args: ['exec', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', 'please #exec'],
    env: {},
  },
  {
    client: 'gemini',
    program: 'node_modules/.bin',
    args: ['--yolo', '--prompt', 'please #gemini-shell'],
    env: { GEMINI_CLI_TRUST_WORKSPACE: 'true' },
  },
  {
    client: 'opencode',
    program: `node_modules/opencode-linux-${arch}/bin`,
    args: ['run', 'please #opencode-bash'],
    env: { OPENCODE_DISABLE_MODELS_FETCH: '1', OPENCODE_DISABLE_AUTOUPDATE: '1' },
  },
  {
    client: 'aider',
    program: 'node_modules/.aider/bin',
    args: [
      ...['--yes-always', '--no-git', '--no-check-update', '--analytics-disable', '--no-pretty'],
      ...['--no-show-release-notes', '--message', 'please #aider', 'seen.txt'],
    ],
    env: {},
    says: 'Applied edit to seen.txt',
  },
]

export const programOf = ({ program }: Agent): string => join(import.meta.dirname, program)

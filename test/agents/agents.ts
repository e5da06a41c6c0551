import { join } from 'node:path'

/** A coding agent, as the test runs it. */
export type Agent = {
  /** The word for it of `gatectl client`. */
  readonly client: 'claude' | 'codex' | 'gemini' | 'opencode'
  /** Folder that its program is in, below node_modules. */
  readonly program: string
  /** What comes after the command that `gatectl client` says to start. */
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

const arch = process.arch === 'arm64' ? 'arm64' : 'x64'

/** Each is asked for a task that takes a tool call and its result. @see test/engine/tiny-model.ts for the keywords */
export const AGENTS: readonly Agent[] = [
  {
    client: 'claude',
    program: `@anthropic-ai/claude-code-linux-${arch}`,
    // its own tools have 50,000 tokens
    args: ['-p', 'please #bash', '--tools', 'Bash', '--dangerously-skip-permissions'],
    env: { IS_SANDBOX: '1', CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' },
  },
  {
    client: 'codex',
    program: '.bin',
    args: ['exec', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', 'please #exec'],
    env: {},
  },
  {
    client: 'gemini',
    program: '.bin',
    args: ['--yolo', '--prompt', 'please #gemini-shell'],
    env: { GEMINI_CLI_TRUST_WORKSPACE: 'true' },
  },
  {
    client: 'opencode',
    program: `opencode-linux-${arch}/bin`,
    args: ['run', 'please #opencode-bash'],
    env: { OPENCODE_DISABLE_MODELS_FETCH: '1', OPENCODE_DISABLE_AUTOUPDATE: '1' },
  },
]

export const NODE_MODULES = join(import.meta.dirname, 'node_modules')

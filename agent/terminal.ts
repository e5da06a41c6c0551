import { writeSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { AgentRefusal } from './agent-error.ts'
import { childEnvironment } from './program.ts'

export type TerminalSize = { readonly rows: number; readonly columns: number }

/** A program on its own terminal. */
export type Terminal = {
  /** Takes what the program writes. @param take must not be called again before it resolves */
  onOutput(take: (bytes: Buffer) => Promise<void>): void
  /** Resolves once the program, or its terminal, has taken them; at once when it is gone. */
  write(bytes: Buffer): Promise<void>
  resize(size: TerminalSize): void
  /** As when a terminal is closed: SIGHUP. */
  hangUp(): void
  /** Exit code, 128 + signal when a signal ended it. Resolves after the last output was handed over. */
  readonly exited: Promise<number>
}

/** Between two looks at a terminal that takes no more. */
const FULL_MS = 20

/**
 * node-pty's own `write` keeps what a program does not read, without a bound, asks in a loop whether there is room, and
 * goes on when the descriptor is closed and may be that of another file.
 */
function writeSome(fd: number, bytes: Buffer, at: number): number | 'gone' {
  try {
    return writeSync(fd, bytes, at)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EAGAIN' ? 0 : 'gone'
  }
}

/**
 * The one wrapper of node-pty, which is native code and therefore loaded only when a shell is asked for.
 * @throws AgentRefusal FAILED when it could not be compiled where Gate was installed
 */
export async function openTerminal(
  program: string,
  args: readonly string[],
  { rows, columns, term }: TerminalSize & { readonly term: string },
): Promise<Terminal> {
  const { spawn } = await import('node-pty').catch((cause) => {
    const hint = 'node-pty needs a C++ compiler where Gate is built; gatectl backend logs works without it'
    throw new AgentRefusal('FAILED', 'this installation has no support for terminals', hint, { cause })
  })
  const env = { ...childEnvironment(), TERM: term, SYSTEMD_PAGERSECURE: '1' }
  const pty = spawn(program, [...args], { rows, cols: columns, name: term, env, cwd: '/', encoding: null })
  let isOver = false
  pty.on('close', () => {
    isOver = true
  })
  let handedOver: Promise<void> = Promise.resolve()
  return {
    onOutput: (take) => {
      pty.onData((bytes) => {
        pty.pause()
        handedOver = handedOver.then(() => take(bytes)).then(() => pty.resume())
      })
    },
    write: async (bytes) => {
      for (let at = 0; at < bytes.length && !isOver; ) {
        const written = writeSome(pty.fd, bytes, at)
        if (written === 'gone') return
        at += written
        if (at < bytes.length) await setTimeout(FULL_MS)
      }
    },
    resize: (size) => {
      if (!isOver) pty.resize(size.columns, size.rows)
    },
    hangUp: () => {
      if (!isOver) pty.kill('SIGHUP')
    },
    exited: new Promise((resolve) => {
      pty.onExit(({ exitCode, signal }) => {
        isOver = true
        const code = signal === undefined || signal === 0 ? exitCode : 128 + signal
        void handedOver.then(() => resolve(code))
      })
    }),
  }
}

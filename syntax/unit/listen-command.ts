import { type ShellCommand, sh } from '../shell/print.ts'

/**
 * Makes a socket unit of the system listen elsewhere, by a drop-in: without an editor, and with systemd before 256,
 * whose "edit" takes no standard input.
 * @param stream address and port, as `ListenStream=` takes them
 */
export function listenCommand(socket: string, stream: string): ShellCommand {
  const dropIns = `/etc/systemd/system/${socket}.d`
  const text = `[Socket]\\nListenStream=\\nListenStream=${stream}\\n`
  return sh`mkdir -p ${dropIns} && printf ${text} >${`${dropIns}/port.conf`} && systemctl daemon-reload && systemctl restart ${socket}`
}

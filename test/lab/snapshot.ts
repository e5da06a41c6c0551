import type { Inside } from './lab.ts'

/** Files with owners, modes and targets, accounts, and units that run: what an uninstall has to leave as it was. */
export async function snapshot(host: Inside): Promise<string> {
  const quiet = [
    '/proc',
    '/sys',
    '/dev',
    '/run',
    '/tmp',
    '/var/tmp',
    '/var/log',
    '/var/lib/systemd',
    '/opt',
    '/root',
    '/.cache',
  ]
  const prune = quiet.flatMap((path) => ['-path', path, '-o']).slice(0, -1)
  const files = await host.run(['find', '/', '(', ...prune, ')', '-prune', '-o', '-printf', '%p %y %m %u:%g %l\n'])
  const accounts = await host.run(['cat', '/etc/passwd', '/etc/group', '/etc/subuid', '/etc/subgid'])
  const units = await host.run(['systemctl', 'list-units', '--no-legend', '--plain', '--state=active'])
  const linger = await host.exec(['ls', '/var/lib/systemd/linger'])
  const enabled = await host.run(['systemctl', 'list-unit-files', '--no-legend', '--state=enabled'])
  const isStable = (line: string) =>
    !/^\/etc\/(?:passwd|group|shadow|gshadow|subuid|subgid)- |^\/etc\/\.pwd\.lock |^\/etc\/gate\/gate\.toml /.test(
      line,
    ) &&
    // sessions of the test itself, and what the clock starts
    !/^(?:run-|session-|systemd-tmpfiles-clean|apt-|dpkg-|e2scrub|netavark-)/.test(line)
  const words = units.split('\n').map((line) => line.split(/\s+/).slice(0, 4).join(' '))
  const lines = [...files.split('\n').sort(), ...accounts.split('\n'), ...words, linger.stdout, enabled]
  return lines.filter(isStable).join('\n')
}

import { argument, command, type Entry, literal, timeSpan } from '../../../syntax/unit/print.ts'
import type { Finding } from '../../diagnostic.ts'
import type { Container } from '../../ir/nodes/container.ts'
import { isBefore, type Version, versionText } from '../output.ts'

/**
 * How podman asks the container whether it is well; nothing when the spec has no check. Until the first success it is
 * asked often, and failures do not count; from then on a container that is unhealthy is killed, which ends its service
 * with an error, so that systemd starts it again. `stop` would end it with success, and `restart` would take it out of
 * the hands of systemd.
 * @see podman-run(1) --health-on-failure
 */
export function healthEntries({ health, origin: from }: Container): Entry[] {
  if (health === undefined) return []
  const origin = [...from, 'health']
  const check = argument(healthCommand(health.command))
  const timeout = { value: timeSpan(health.timeoutMs), origin: [...origin, 'timeout'] }
  return [
    { key: 'HealthCmd', value: check, origin: [...origin, 'command'] },
    { key: 'HealthInterval', value: timeSpan(health.intervalMs), origin: [...origin, 'interval'] },
    { key: 'HealthTimeout', ...timeout },
    { key: 'HealthRetries', value: literal(String(health.retries)), origin: [...origin, 'retries'] },
    { key: 'HealthOnFailure', value: literal('kill') },
    { key: 'HealthStartupCmd', value: check, origin: [...origin, 'command'] },
    {
      key: 'HealthStartupInterval',
      value: timeSpan(health.startIntervalMs),
      origin: [...origin, 'start_interval'],
    },
    { key: 'HealthStartupTimeout', ...timeout },
  ]
}

/**
 * The forms that podman runs without a shell, which the image may not have: a JSON array, or `CMD` before a single
 * word.
 * @see https://github.com/containers/podman/blob/v5.4.2/pkg/specgenutil/specgen.go makeHealthCheckFromCli
 */
function healthCommand(command: readonly string[]): string {
  const [only = ''] = command
  return command.length === 1 && !/\s/.test(only) ? `CMD ${only}` : JSON.stringify(command)
}

/** What podman takes for a shell command line or for one of its own keywords, in any form. */
export function healthFindings({ health, origin }: Container): Finding[] {
  const [first = ''] = health?.command ?? []
  const isLine = health?.command.length === 1 && /\s/.test(first)
  if (!isLine && !/^(?:cmd|cmd-shell|none)$/i.test(first)) return []
  const message = isLine
    ? 'podman gives a single word with spaces to a shell'
    : `podman takes "${first}" for one of its own keywords, not for a program`
  const hint = isLine
    ? 'write the program and its arguments as separate words: ["curl", "--fail"]'
    : 'write its path, such as "/usr/bin/none"'
  return [{ code: 'NOT_EXPRESSIBLE', path: [...origin, 'health', 'command'], message, hint }]
}

/** The first podman whose `wait` knows health. */
const WAITS: Version = { major: 4, minor: 6 }

/**
 * The service has started when the container is healthy. Not by Notify=healthy: there `podman run` says so with its
 * last breath, and systemd drops the message of a process that it can no longer find, so that a healthy service times
 * out.
 */
export function readinessEntries(
  container: Container,
  podman: Version,
  program: string,
): { entries: Entry[]; findings: Finding[] } {
  const origin = [...container.origin, 'notify']
  if (container.notify === 'started' || container.health === undefined) return { entries: [], findings: [] }
  if (!isBefore(podman, WAITS)) {
    const wait = command(program, 'wait', '--condition=healthy', container.name)
    return { entries: [{ key: 'ExecStartPost', value: wait, origin }], findings: [] }
  }
  const message = `podman ${versionText(podman)} cannot wait until a container is healthy`
  const hint = container.onDemand
    ? 'remove idle_stop, or use podman 4.6 or newer'
    : 'write notify = "started", or use podman 4.6 or newer'
  return {
    entries: [],
    findings: [{ code: 'TOO_OLD', severity: container.onDemand ? 'error' : 'warning', path: origin, message, hint }],
  }
}

/** Each connection of a client may hold one to an upstream. */
export const DESCRIPTORS_PER_CONNECTION = 2
/** Database, log, journal, admin socket, resolver, and connections just accepted. */
export const DESCRIPTOR_RESERVE = 1024
/** What a systemd unit allows at least: `config set` may raise server.max_connections without a new unit. */
export const LEAST_DESCRIPTORS = 65_536

/** File descriptors that a daemon needs for `gate.server.max_connections`. */
export function descriptorsFor(maxConnections: number): number {
  return maxConnections * DESCRIPTORS_PER_CONNECTION + DESCRIPTOR_RESERVE
}

/** LimitNOFILE= of the daemon's unit. */
export function unitDescriptors(maxConnections: number): number {
  return Math.max(LEAST_DESCRIPTORS, descriptorsFor(maxConnections))
}

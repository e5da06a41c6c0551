/**
 * One key, three spellings: `server.p2p_port` (TOML), `server.p2pPort` (Nix), `GATE_SERVER__P2P_PORT` (environment).
 * Names that people give (upstreams, models) stay as they are in TOML and Nix.
 */

/** `p2p_port` -> `p2pPort`. An underscore before a digit stays, so that `snakeCase` undoes it. */
export function camelCase(key: string): string {
  return key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

/** `p2pPort` -> `p2p_port`. */
export function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/**
 * `upstreams.llama-cpp.api_key` -> `GATE_UPSTREAMS__LLAMA_CPP__API_KEY`: no environment name can hold `-`, `.`, `:` or
 * `/`.
 */
export function environmentName(path: readonly string[]): string {
  return `GATE_${path.map(environmentSegment).join('__')}`
}

/**
 * What a name or key is called in the environment: whatever a variable cannot hold is one `_`. Several names may be
 * called the same.
 */
export function environmentSegment(name: string): string {
  return name
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, '_')
    .replace(/^_|_$/g, '')
}

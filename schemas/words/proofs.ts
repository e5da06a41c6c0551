/** How a caller has shown who it is. */
export type Proof =
  | 'key'
  | 'session'
  | 'access-token'
  | 'passkey'
  | 'break-glass'
  | 'proxy'
  | 'tailscale'
  | 'socket'
  | 'system'
  | 'none'

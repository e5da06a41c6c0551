import type { TokenStore } from '../../daemon/auth/key-record.ts'

/** A store without keys, which forgets those that it is given. */
export const NO_STORED_KEYS: TokenStore = {
  all: () => [],
  insert: () => {},
  update: () => {},
  revoke: () => true,
  previous: () => [],
  rotate: () => {},
}

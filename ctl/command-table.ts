import { ABOUT_COMMANDS } from './commands/about/table.ts'
import { AUDIT_COMMANDS } from './commands/audit/table.ts'
import { AUTH_COMMANDS } from './commands/auth/table.ts'
import { BACKEND_COMMANDS } from './commands/backend/table.ts'
import { BACKUP_COMMANDS } from './commands/backup/table.ts'
import { BUDGET_COMMANDS } from './commands/budget/table.ts'
import { CA_COMMANDS } from './commands/ca/table.ts'
import { CLIENT_COMMANDS } from './commands/client/table.ts'
import { COMPLETION_COMMANDS } from './commands/completion/table.ts'
import { CONFIG_COMMANDS } from './commands/config/table.ts'
import { DAEMON_COMMANDS } from './commands/daemon/table.ts'
import { HOST_COMMANDS } from './commands/host/table.ts'
import { LOGIN_COMMANDS } from './commands/login/table.ts'
import { PEER_COMMANDS } from './commands/peer/table.ts'
import { RELAY_COMMANDS } from './commands/relay/table.ts'
import { SECRETS_COMMANDS } from './commands/secrets/table.ts'
import { SPEC_COMMANDS } from './commands/spec/table.ts'
import { TEAM_COMMANDS } from './commands/team/table.ts'
import { TLS_COMMANDS } from './commands/tls/table.ts'
import { TOKEN_COMMANDS } from './commands/token/table.ts'
import { USER_COMMANDS } from './commands/user/table.ts'
import type { Command } from './invocation.ts'

/**
 * Everything that gatectl can do: the help, the completions, the manual pages and the parser are made from these
 * tables.
 */
export const COMMANDS: readonly Command[] = [
  ...DAEMON_COMMANDS,
  ...TOKEN_COMMANDS,
  ...USER_COMMANDS,
  ...TEAM_COMMANDS,
  ...AUTH_COMMANDS,
  ...LOGIN_COMMANDS,
  ...CLIENT_COMMANDS,
  ...BUDGET_COMMANDS,
  ...CONFIG_COMMANDS,
  ...SECRETS_COMMANDS,
  ...BACKEND_COMMANDS,
  ...TLS_COMMANDS,
  ...RELAY_COMMANDS,
  ...PEER_COMMANDS,
  ...SPEC_COMMANDS,
  ...HOST_COMMANDS,
  ...BACKUP_COMMANDS,
  ...AUDIT_COMMANDS,
  ...CA_COMMANDS,
  ...COMPLETION_COMMANDS,
  ...ABOUT_COMMANDS,
]

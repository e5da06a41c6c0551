/** What keeps entries as they are. */
export const AUDIT_TRIGGERS = ['audit_is_never_changed', 'audit_is_never_deleted', 'audit_is_in_order'] as const

/** The audit: rows are appended, and nothing else. Each holds the hash of what is in it and of the row before. */
export const AUDIT_TABLE = `
CREATE TABLE IF NOT EXISTS audit (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  via TEXT NOT NULL,
  who_id TEXT NOT NULL,
  who_name TEXT NOT NULL,
  action TEXT NOT NULL,
  object TEXT NOT NULL,
  address TEXT,
  door TEXT NOT NULL,
  outcome TEXT NOT NULL,
  reason TEXT NOT NULL,
  old TEXT,
  new TEXT,
  hash TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS audit_at ON audit (at);
CREATE TRIGGER IF NOT EXISTS audit_is_never_changed BEFORE UPDATE ON audit
  BEGIN SELECT RAISE(ABORT, 'the audit can be appended to, not changed'); END;
CREATE TRIGGER IF NOT EXISTS audit_is_never_deleted BEFORE DELETE ON audit
  BEGIN SELECT RAISE(ABORT, 'the audit can be appended to, not deleted from'); END;
CREATE TRIGGER IF NOT EXISTS audit_is_in_order BEFORE INSERT ON audit
  WHEN NEW.seq IS NOT (SELECT COALESCE(MAX(seq), 0) + 1 FROM audit)
  BEGIN SELECT RAISE(ABORT, 'the next entry of the audit has the next number'); END;
`

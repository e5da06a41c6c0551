/** The code of a system or database error, such as "ENOENT" or "SQLITE_BUSY"; empty for any other error. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/** What `gatectl usage` lists by. */
export const USAGE_GROUPINGS = ['model', 'key', 'upstream', 'user', 'team', 'category'] as const

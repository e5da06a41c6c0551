/** For how long a budget counts, by the calendar. Weeks begin on Monday. */
export const WINDOWS = ['hour', 'day', 'week', 'month'] as const
export type WindowKind = (typeof WINDOWS)[number]

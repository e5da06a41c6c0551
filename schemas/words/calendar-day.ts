/** Whether a text such as "2026-11-29" is a day that exists: `Date` takes 30 February for 2 March. */
export function isCalendarDay(text: string): boolean {
  const day = new Date(`${text}T00:00Z`)
  return !Number.isNaN(day.getTime()) && day.toISOString().slice(0, 10) === text
}

/** Whether the tests run at full size, by `npm run test:long`. Files that import this are the ones that it runs. */
export const isLong = process.env['GATE_TEST_LONG'] === '1'

/** How many of something a test tries: a sample in `npm test`, all of it in `npm run test:long`. */
export const sampled = (sample: number, all: number): number => (isLong ? all : sample)

/** The rows of a table that are tried: the first and every `nth` after it, all of them in `npm run test:long`. */
export const someOf = <T>(rows: readonly T[], nth: number): readonly T[] =>
  isLong ? rows : rows.filter((_, index) => index % nth === 0)

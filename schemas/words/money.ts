/** An amount as people write it: "200 USD", "0.50 USD". */
export const AMOUNT = /^\d{1,9}(?:\.\d{1,6})? USD$/

const PER_DOLLAR = 1_000_000

/** Whole micro-dollars of an amount such as "200 USD". @throws RangeError when it is none */
export function microdollarsOf(amount: string): number {
  if (!AMOUNT.test(amount)) throw new RangeError(`not an amount: ${amount}`)
  return Math.round(Number(amount.slice(0, -' USD'.length)) * PER_DOLLAR)
}

/** The amount that is so many micro-dollars, with two digits after the point, or as many as it takes. */
export function amountText(microdollars: number): string {
  const digits = (microdollars / PER_DOLLAR).toFixed(6).replace(/0{1,4}$/, '')
  return `${digits} USD`
}

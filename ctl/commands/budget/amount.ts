import { AMOUNT } from '../../../schemas/words/money.ts'
import { usageFailure } from '../../failure.ts'

/** An amount as the configuration has it, of one that may lack its currency. @throws Failure USAGE */
export function amountOf(text: string): string {
  const amount = /USD$/.test(text) ? text.replace(/\s*USD$/, ' USD') : `${text} USD`
  if (AMOUNT.test(amount)) return amount
  throw usageFailure(`"${text}" is not an amount`, 'write one such as "20 USD", or 20')
}

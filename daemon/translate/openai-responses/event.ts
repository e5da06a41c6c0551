import { textFrame } from '../text-frame.ts'

/** The types of the events that end a response, each with all of it. */
export const ENDS: ReadonlySet<string> = new Set(['response.completed', 'response.incomplete', 'response.failed'])

/** An event of a stream. */
export function frame(number: number, type: string, rest: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: number, ...rest })}\n\n`
}

/** Writes events that differ in their number and in one text alone. @param rest where the last empty text stands for it */
export function numberedTextFrame(type: string, rest: object): (number: number, text: string) => string {
  const sample = frame(0, type, rest)
  const at = sample.indexOf(NUMBER) + NUMBER.length
  const before = sample.slice(0, at)
  const after = textFrame(sample.slice(at + 1))
  return (number, text) => before + number + after(text)
}

const NUMBER = '"sequence_number":'

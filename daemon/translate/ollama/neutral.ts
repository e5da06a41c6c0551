import type { NeutralForm } from '../neutral-form.ts'
import { features } from './features.ts'
import { readAnswer } from './read-answer.ts'
import { LineEventReader } from './read-events.ts'
import { readNeutralRequest } from './read-request.ts'
import { asMessage, asResponse, type Form, writeAnswer } from './write-answer.ts'
import { writeEvents } from './write-events.ts'
import { writeNeutralRequest } from './write-request.ts'

const neutralAs = (form: Form): NeutralForm => ({
  features,
  hasWholeCalls: true,
  readRequest: readNeutralRequest,
  writeRequest: writeNeutralRequest,
  readAnswer,
  writeAnswer: (answer, told) => writeAnswer(form, answer, told),
  readEvents: (requestId) => new LineEventReader(requestId),
  writeEvents: (told) => writeEvents(form, told),
})

export const neutral = neutralAs(asMessage)

/** The same for what completes a prompt. */
export const generateNeutral = neutralAs(asResponse)

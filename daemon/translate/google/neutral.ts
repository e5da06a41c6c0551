import type { NeutralForm } from '../neutral-form.ts'
import { features } from './features.ts'
import { readAnswer } from './read-answer.ts'
import { ContentEventReader } from './read-events.ts'
import { readNeutralRequest } from './read-request.ts'
import { writeAnswer } from './write-answer.ts'
import { eventFrame, type Framing, writeContentEvents } from './write-events.ts'
import { writeNeutralRequest } from './write-request.ts'

export const neutral: NeutralForm = {
  features,
  hasWholeCalls: true,
  toolNames: { longest: 64, form: /^[A-Za-z_][\w.:-]*$/ },
  readRequest: readNeutralRequest,
  writeRequest: writeNeutralRequest,
  readAnswer,
  writeAnswer,
  readEvents: (requestId) => new ContentEventReader(requestId),
  writeEvents: (told) => writeContentEvents(told, { frame: eventFrame, close: '' }),
}

/** The same for clients that read a list. */
export const listNeutral: NeutralForm = {
  ...neutral,
  writeEvents: (told) => writeContentEvents(told, { frame: listFrame(), close: ']\n' }),
}

function listFrame(): Framing {
  let isFirst = true
  return (json) => {
    const separator = isFirst ? '[' : ',\n'
    isFirst = false
    return `${separator}${json}`
  }
}

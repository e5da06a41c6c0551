import type { NeutralForm } from '../neutral-form.ts'
import { features } from './features.ts'
import { readAnswer } from './read-answer.ts'
import { ChatEventReader } from './read-events.ts'
import { readNeutralRequest } from './read-request.ts'
import { writeAnswer } from './write-answer.ts'
import { writeEvents } from './write-events.ts'
import { writeNeutralRequest } from './write-request.ts'

export const neutral: NeutralForm = {
  features,
  toolNames: { longest: 64, form: /^[\w-]+$/ },
  readRequest: readNeutralRequest,
  writeRequest: writeNeutralRequest,
  readAnswer,
  writeAnswer,
  readEvents: (requestId) => new ChatEventReader(requestId),
  writeEvents,
}

import { type NeutralRequest, SERVICES } from './neutral.ts'

/** The class of service that a request asks for, by the word that OpenAI and Google share. */
export function serviceIn(word: unknown): Pick<NeutralRequest, 'service'> {
  const service = SERVICES.find((one) => one === word)
  return service === undefined ? {} : { service }
}

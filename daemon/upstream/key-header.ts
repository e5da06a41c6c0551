import { providerRow } from '../../schemas/words/providers.ts'

/** A header, name and value. */
type Header = readonly [string, string]

/** The header in which a provider expects its key. @param usual how its dialect has it */
export function keyHeaderOf(provider: string, key: string, usual: (key: string) => Header): Header {
  const { key: form } = providerRow(provider)
  switch (form) {
    case 'dialect':
      return usual(key)
    case 'bearer':
    case 'aws':
      return ['authorization', `Bearer ${key}`]
    case 'x-api-key':
    case 'api-key':
      return [form, key]
  }
}

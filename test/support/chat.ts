/**
 * The body of a chat request in OpenAI's wire format, with one message of a user.
 * @param fields more of it, or other ones
 */
export function chatBody(content: string, fields: object = {}): string {
  return JSON.stringify({ model: 'echo', messages: [{ role: 'user', content }], ...fields })
}

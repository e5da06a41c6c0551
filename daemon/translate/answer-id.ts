/** How ids of answers begin, and requests of Gate, of which ids are made where an upstream gives none. */
const KINDS = /^(?:msg_|chatcmpl-|resp_|gen-|req_)/

/**
 * The id of an answer as clients of a dialect know ids: some go by how they begin. The same for the same answer.
 * @param kind such as `msg_`
 */
export function answerId(kind: string, id: string): string {
  return id.startsWith(kind) ? id : kind + id.replace(KINDS, '').replaceAll(/[^\w-]/g, '_')
}

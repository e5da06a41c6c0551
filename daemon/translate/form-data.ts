import { GateError } from '../../schemas/words/errors.ts'

/** Where the value of a field is. */
type FormField = { readonly start: number; readonly end: number }

const MOST_PARTS = 200
const MOST_HEADER_BYTES = 4_096

/**
 * The fields of a form, without its files, of which not a byte is looked at but for the boundary.
 * @param type the Content-Type, which names the boundary
 * @throws GateError BAD_REQUEST when it is not a form, or has a name twice or none: parsers would disagree on those
 * @see https://www.rfc-editor.org/rfc/rfc7578
 */
export function formFields(body: Buffer, type: string): ReadonlyMap<string, FormField> {
  const delimiter = delimiterIn(type)
  const fields = new Map<string, FormField>()
  if (!body.subarray(0, delimiter.length - 2).equals(delimiter.subarray(2)))
    throw noForm('it does not begin with a part')
  let at = delimiter.length - 2
  for (let parts = 0; !isEnd(body, at); parts++) {
    if (parts === MOST_PARTS) throw noForm(`it has more than ${MOST_PARTS} parts`)
    const headEnd = body.subarray(at, at + MOST_HEADER_BYTES).indexOf('\r\n\r\n')
    if (body[at] !== CR || headEnd === -1) throw noForm('the headers of a part do not end')
    const start = at + headEnd + 4
    const end = body.indexOf(delimiter, start)
    if (end === -1) throw noForm('its last part does not end')
    const { name, isFile } = dispositionIn(body.toString('utf8', at + 2, at + headEnd))
    if (!isFile) {
      if (fields.has(name) && !name.endsWith('[]')) throw noForm(`"${name.slice(0, 64)}" appears twice`)
      fields.set(name, { start, end })
    }
    at = end + delimiter.length
  }
  return fields
}

const CR = 0x0d
const DASH = 0x2d

const isEnd = (body: Buffer, at: number): boolean => body[at] === DASH && body[at + 1] === DASH

function delimiterIn(type: string): Buffer {
  const [, quoted, bare] = /;\s*boundary=(?:"([^"]{1,70})"|([^\s";]{1,70}))/i.exec(type) ?? []
  const boundary = quoted ?? bare
  if (boundary === undefined) throw noForm('its Content-Type names no boundary')
  return Buffer.from(`\r\n--${boundary}`, 'latin1')
}

/** The name in the headers of a part, and whether it is a file's. */
function dispositionIn(headers: string): { readonly name: string; readonly isFile: boolean } {
  const lines = headers.split('\r\n').filter((line) => /^content-disposition\s*:/i.test(line))
  const [disposition = '', another] = lines
  const names = [...disposition.matchAll(/;\s*name=(?:"([^"]*)"|([^\s";]+))/gi)]
  const name = names[0]?.[1] ?? names[0]?.[2] ?? ''
  if (another !== undefined || names.length !== 1 || name === '') throw noForm('a part has not one name')
  return { name, isFile: /;\s*filename\*?=/i.test(disposition) }
}

const noForm = (what: string): GateError =>
  new GateError('BAD_REQUEST', `the body is not a form that can be passed on: ${what}`)

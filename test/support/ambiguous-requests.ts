import { chatBody } from './chat.ts'

/** A request of HTTP/1 that two servers may read in different ways. `bytes` makes it with a key. */
type AmbiguousRequest = { readonly name: string; readonly bytes: (key: string) => string }

const body = chatBody('hi')
const length = `Content-Length: ${body.length}\r\n`
const auth = (key: string) => `Authorization: Bearer ${key}\r\n`
const post = (headers: string, text = body) =>
  `POST /v1/chat/completions HTTP/1.1\r\n${headers}Content-Type: application/json\r\n\r\n${text}`

/** What must be refused with 400, after which the connection must end. */
export const AMBIGUOUS_REQUESTS: readonly AmbiguousRequest[] = [
  { name: 'no Host', bytes: (key) => post(`${auth(key)}${length}`) },
  { name: 'two Hosts', bytes: (key) => post(`Host: a\r\nHost: b\r\n${auth(key)}${length}`) },
  { name: 'two equal Hosts', bytes: (key) => post(`Host: a\r\nHost: a\r\n${auth(key)}${length}`) },
  { name: 'a Host with a space', bytes: (key) => post(`Host: a b\r\n${auth(key)}${length}`) },
  { name: 'a Host with a path', bytes: (key) => post(`Host: a/b\r\n${auth(key)}${length}`) },
  { name: 'a Host with a user', bytes: (key) => post(`Host: u@a\r\n${auth(key)}${length}`) },
  { name: 'an empty Host', bytes: (key) => post(`Host: \r\n${auth(key)}${length}`) },
  {
    name: 'an absolute target that disagrees with Host',
    bytes: () => `GET http://other/health HTTP/1.1\r\nHost: x\r\n\r\n`,
  },
  {
    name: 'CL and TE',
    bytes: (key) => post(`Host: x\r\n${auth(key)}${length}Transfer-Encoding: chunked\r\n`, '0\r\n\r\n'),
  },
  {
    name: 'TE and CL',
    bytes: (key) => post(`Host: x\r\n${auth(key)}Transfer-Encoding: chunked\r\n${length}`, '0\r\n\r\n'),
  },
  {
    name: 'two Authorizations',
    bytes: (key) => post(`Host: x\r\n${auth(key)}Authorization: Bearer other\r\n${length}`),
  },
  { name: 'two equal Authorizations', bytes: (key) => post(`Host: x\r\n${auth(key)}${auth(key)}${length}`) },
  { name: 'two CLs', bytes: (key) => post(`Host: x\r\n${auth(key)}${length}Content-Length: 3\r\n`) },
  {
    name: 'an unknown TE',
    bytes: (key) => post(`Host: x\r\n${auth(key)}Transfer-Encoding: gzip, chunked\r\n`, '0\r\n\r\n'),
  },
  {
    name: 'TE twice',
    bytes: (key) =>
      post(`Host: x\r\n${auth(key)}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n`, '0\r\n\r\n'),
  },
  {
    name: 'HTTP/1.0 with TE',
    bytes: (key) =>
      `POST /v1/chat/completions HTTP/1.0\r\nHost: x\r\n${auth(key)}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  },
  { name: 'a bare LF in a header', bytes: () => `GET /health HTTP/1.1\r\nHost: x\nX-A: b\r\n\r\n` },
  { name: 'a space before the colon', bytes: () => `GET /health HTTP/1.1\r\nHost : x\r\n\r\n` },
  { name: 'a folded header', bytes: () => `GET /health HTTP/1.1\r\nHost: x\r\n y\r\n\r\n` },
  { name: 'a target that is no path', bytes: () => `GET * HTTP/1.1\r\nHost: x\r\n\r\n` },
  { name: 'no HTTP at all', bytes: () => `\x16\x03\x01 hello\r\n\r\n` },
]

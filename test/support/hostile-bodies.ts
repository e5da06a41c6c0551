/** Bodies that cost their reader most, or that readers take differently. @param bytes about how long */
export const HOSTILE: Readonly<Record<string, (bytes: number) => Buffer>> = {
  'a second model among many keys': (bytes) =>
    text(`{"model":"m","model\\u0020":1,"x":{${keys(bytes)}},"messages":[]}`),
  'small numbers': (bytes) => inList('1,'.repeat(bytes / 2).slice(0, -1)),
  'one long number': (bytes) => inList('1'.repeat(bytes)),
  'escaped letters': (bytes) => inList(`"${'\\u0061'.repeat(bytes / 6)}"`),
  'escaped quotes': (bytes) => inList(`"${'\\"'.repeat(bytes / 2)}"`),
  'white space': (bytes) => inList(' '.repeat(bytes)),
  'one long text for a virtual model': (bytes) => text(`{"messages":["${'漢'.repeat(bytes / 3)}"],"model":"other"}`),
  'a long key': (bytes) => text(`{"${'k'.repeat(bytes)}":1,"model":"m","messages":[]}`),
  'a long model': (bytes) => text(`{"model":"${'m'.repeat(bytes)}","messages":[]}`),
  'many keys outside': (bytes) => text(`{"model":"m","messages":[],${keys(bytes)}}`),
  'lists in lists': (bytes) => text(`{"model":"m","messages":${'['.repeat(bytes / 2)}${']'.repeat(bytes / 2)}}`),
  'many small objects': (bytes) => inList('{"a":{}},'.repeat(bytes / 9).slice(0, -1)),
  'no end': (bytes) => text(`{"model":"m","messages":[${'{"a":['.repeat(20)}"${'x'.repeat(bytes)}`),
  'a byte order mark': (bytes) => text(`\ufeff{"model":"m","messages":["${'x'.repeat(bytes)}"]}`),
  'bytes that are not UTF-8 at the end': (bytes) =>
    Buffer.concat([text(`{"model":"m","messages":["${'x'.repeat(bytes)}`), Buffer.from([0xff]), text('"]}')]),
  'the model in another case': (bytes) => text(`{"model":"m","Model":"n","messages":["${'x'.repeat(bytes)}"]}`),
  zeros: (bytes) => Buffer.alloc(bytes),
  'what is good': (bytes) => inList(`{"role":"user","content":"${'word '.repeat(bytes / 5)}"}`),
}

const text = (all: string): Buffer => Buffer.from(all)
const inList = (inner: string): Buffer => text(`{"model":"m","messages":[${inner}]}`)

function keys(bytes: number): string {
  let all = '"k":1'
  for (let i = 0; all.length < bytes; i += 1) all += `,"k${i.toString(36)}":${i % 10}`
  return all
}

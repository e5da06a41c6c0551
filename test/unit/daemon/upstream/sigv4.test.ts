import { expect, test } from 'vitest'
import { awsKeyOf, scopeOf, signed } from '../../../../daemon/upstream/sigv4.ts'

// AWS's published test suite for Signature Version 4 ("aws-sig-v4-test-suite"): request and signature.
const KEY = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  sessionToken: null,
}
const TOKEN =
  'AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=='
const SCOPE = { region: 'us-east-1', service: 'service' }
const NOW = Date.UTC(2015, 7, 30, 12, 36, 0)
const HOST = 'example.amazonaws.com'
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

test.each<{
  name: string
  method: string
  path: string
  headers?: Record<string, string>
  body?: string
  token?: string
  names: string
  signature: string
}>([
  {
    name: 'get-vanilla',
    method: 'GET',
    path: '/',
    names: 'host;x-amz-date',
    signature: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
  },
  {
    name: 'post-vanilla',
    method: 'POST',
    path: '/',
    names: 'host;x-amz-date',
    signature: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
  },
  {
    name: 'get-vanilla-query-order-key-case',
    method: 'GET',
    path: '/?Param2=value2&Param1=value1',
    names: 'host;x-amz-date',
    signature: 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  },
  {
    name: 'post-x-www-form-urlencoded',
    method: 'POST',
    path: '/',
    headers: FORM,
    body: 'Param1=value1',
    names: 'content-type;host;x-amz-date',
    signature: 'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  },
  {
    name: 'post-sts-header-before',
    method: 'POST',
    path: '/',
    token: TOKEN,
    names: 'host;x-amz-date;x-amz-security-token',
    signature: '85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead',
  },
])('$name', ({ method, path, headers = {}, body = '', token = null, names, signature }) => {
  const request = { method, host: HOST, path, headers, body: Buffer.from(body) }
  const out = signed(request, { ...KEY, sessionToken: token }, SCOPE, NOW)
  expect(out.slice(0, 2)).toEqual(['x-amz-date', '20150830T123600Z'])
  expect(out.at(-1)).toBe(
    `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${names}, Signature=${signature}`,
  )
})

test.each([
  ['AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG', 'AKIAIOSFODNN7EXAMPLE', null],
  ['ASIAIOSFODNN7EXAMPLE:secret:token//=', 'ASIAIOSFODNN7EXAMPLE', 'token//='],
  ['ABSKQmVkcm9ja0FQSUtleS1hYmM=', undefined, undefined],
  ['sk-lower:case', undefined, undefined],
])('reads the key %s', (text, id, token) => {
  const key = awsKeyOf(text)
  expect([key?.accessKeyId, key?.sessionToken]).toEqual([id, token])
})

test.each([
  ['bedrock-runtime.eu-central-1.amazonaws.com', 'eu-central-1', 'bedrock'],
  ['bedrock-mantle.us-east-2.api.aws', 'us-east-2', 'bedrock-mantle'],
  ['127.0.0.1', 'us-east-1', 'bedrock'],
])('%s is in %s', (host, region, service) => {
  expect(scopeOf(host)).toEqual({ region, service })
})

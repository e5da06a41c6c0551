import { expect, test } from 'vitest'
import { pemReader } from '../../../../daemon/certificates/pem-file.ts'

test('a file that does not answer is given up, is not read twice at once, and is read again when it answers', async () => {
  let reads = 0
  let answer = (_: string) => {}
  const hangs = () => {
    reads++
    return new Promise<string>((resolve) => {
      answer = resolve
    })
  }
  const read = pemReader(1, hangs)
  await expect(read('/mnt/cert.pem')).rejects.toThrow('/mnt/cert.pem cannot be read: what it is on did not answer')
  await expect(read('/mnt/cert.pem')).rejects.toThrow('did not answer')
  expect(reads).toBe(1)
  answer('late')
  await new Promise(setImmediate)
  const again = read('/mnt/cert.pem')
  answer('a certificate')
  expect(await again).toBe('a certificate')
})

import { expect, test } from 'vitest'
import { PRIVATE_RANGES } from '../../../schemas/words/address.ts'
import { NEVER_SERVERS, rangesOf } from '../../../schemas/words/address-ranges.ts'

test.each([
  { address: '169.254.169.254', isNever: true, isPrivate: true },
  { address: '::ffff:169.254.169.254', isNever: true, isPrivate: true },
  { address: '::ffff:a9fe:a9fe', isNever: true, isPrivate: true },
  { address: 'fd00:ec2::254', isNever: true, isPrivate: true },
  { address: '0.0.0.0', isNever: true, isPrivate: true },
  { address: '::', isNever: true, isPrivate: true },
  { address: '224.0.0.1', isNever: true, isPrivate: true },
  { address: 'ff02::1', isNever: true, isPrivate: true },
  { address: '10.0.0.1', isNever: false, isPrivate: true },
  { address: '127.0.0.1', isNever: false, isPrivate: true },
  { address: '::1', isNever: false, isPrivate: true },
  { address: '9.9.9.9', isNever: false, isPrivate: false },
  { address: '2620:fe::fe', isNever: false, isPrivate: false },
  { address: 'not an address', isNever: true, isPrivate: true },
])('$address: no server has it is $isNever, private is $isPrivate', ({ address, isNever, isPrivate }) => {
  expect([rangesOf(NEVER_SERVERS)(address), rangesOf(PRIVATE_RANGES)(address)]).toEqual([isNever, isPrivate])
})

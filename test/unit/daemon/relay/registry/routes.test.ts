import { expect, test } from 'vitest'
import { createRoutes } from '../../../../../daemon/relay/registry/routes.ts'
import { BEGIN_MS, nodeKeys } from '../../../../support/node-keys.ts'

test('routes that a node has not signed push out none that it has, and each relay is told of once', () => {
  const node = nodeKeys()
  const forgers: string[] = []
  const routes = createRoutes((relay) => forgers.push(relay))
  const take = (relay: string, tunnel: string, of: string, epoch: number) =>
    routes.take(node.id, relay, tunnel, JSON.stringify(node.route(relay, of)), epoch)
  take('home', 't', 't', 1)
  for (let i = 0; i < 100; i++) take(`thief-${i % 3}`, `t${i}`, 'another', 2 + i)
  expect(routes.of(node.id, BEGIN_MS)).toMatchObject([{ relay: 'home', tunnel: 't', epoch: 1 }])
  expect([...forgers].sort()).toEqual(['thief-0', 'thief-1', 'thief-2'])
})

test('of many that it has signed the newest are known', () => {
  const node = nodeKeys()
  const routes = createRoutes(() => expect.unreachable())
  for (let i = 0; i < 40; i++) routes.take(node.id, 'r', `t${i}`, JSON.stringify(node.route('r', `t${i}`)), i)
  const known = routes.of(node.id, BEGIN_MS).map(({ epoch }) => epoch)
  expect(known).toEqual(Array.from({ length: 32 }, (_, i) => 39 - i))
})

test.each(['', '1', '{}', '{"key":"","expiresAtMs":"soon","signature":""}', 'null'])('no route: %j', (value) => {
  const node = nodeKeys()
  const routes = createRoutes(() => expect.unreachable())
  routes.take(node.id, 'r', 't', value, 1)
  expect(routes.of(node.id, BEGIN_MS)).toEqual([])
})

/** What each way to write a host means, for everything that judges hosts: A17 is two of them disagreeing. */
export const HOSTS: readonly {
  readonly host: string
  readonly isHost: boolean
  /** "here": this host alone; "every": every interface; "some": an address or name that others may reach. */
  readonly reach: 'here' | 'every' | 'some'
  /** What a socket unit listens on; undefined for a name, which systemd does not look up. */
  readonly address: string | undefined
}[] = [
  { host: '127.0.0.1', isHost: true, reach: 'here', address: '127.0.0.1' },
  { host: '127.1.2.3', isHost: true, reach: 'here', address: '127.1.2.3' },
  { host: '::1', isHost: true, reach: 'here', address: '::1' },
  { host: '[::1]', isHost: true, reach: 'here', address: '::1' },
  { host: '0:0:0:0:0:0:0:1', isHost: true, reach: 'here', address: '::1' },
  { host: '::0001', isHost: true, reach: 'here', address: '::1' },
  { host: '::ffff:127.0.0.1', isHost: true, reach: 'here', address: '127.0.0.1' },
  { host: '[::FFFF:127.0.0.1]', isHost: true, reach: 'here', address: '127.0.0.1' },
  { host: '::ffff:7f00:1', isHost: true, reach: 'here', address: '127.0.0.1' },
  { host: 'localhost', isHost: true, reach: 'here', address: '127.0.0.1' },
  { host: 'localhost.', isHost: true, reach: 'here', address: '127.0.0.1' },
  { host: 'LOCALHOST', isHost: true, reach: 'here', address: '127.0.0.1' },
  { host: '0.0.0.0', isHost: true, reach: 'every', address: '0.0.0.0' },
  { host: '::', isHost: true, reach: 'every', address: '::' },
  { host: '[::]', isHost: true, reach: 'every', address: '::' },
  { host: '::0', isHost: true, reach: 'every', address: '::' },
  { host: '0:0:0:0:0:0:0:0', isHost: true, reach: 'every', address: '::' },
  { host: '192.168.1.2', isHost: true, reach: 'some', address: '192.168.1.2' },
  { host: '2001:DB8::1', isHost: true, reach: 'some', address: '2001:db8::1' },
  { host: '::ffff:10.0.0.1', isHost: true, reach: 'some', address: '10.0.0.1' },
  { host: '::1:1', isHost: true, reach: 'some', address: '::1:1' },
  { host: '1::', isHost: true, reach: 'some', address: '1::' },
  { host: 'fe80::1', isHost: true, reach: 'some', address: 'fe80::1' },
  { host: 'ai.example.org', isHost: true, reach: 'some', address: undefined },
  { host: 'localhost.example.org', isHost: true, reach: 'some', address: undefined },
  { host: 'app.localhost', isHost: true, reach: 'some', address: undefined },
  { host: '127.example.org', isHost: true, reach: 'some', address: undefined },
  { host: '4090-box', isHost: true, reach: 'some', address: undefined },
  // resolvers read these as addresses, and not all alike
  { host: '127.1', isHost: false, reach: 'some', address: undefined },
  { host: '0', isHost: false, reach: 'some', address: undefined },
  { host: '127.0.0.256', isHost: false, reach: 'some', address: undefined },
  { host: '0127.0.0.1', isHost: false, reach: 'some', address: undefined },
  { host: 'a:b', isHost: false, reach: 'some', address: undefined },
  { host: '127.0.0.1:3000', isHost: false, reach: 'some', address: undefined },
  { host: '::1::', isHost: false, reach: 'some', address: undefined },
  { host: ':::', isHost: false, reach: 'some', address: undefined },
  { host: '[::1', isHost: false, reach: 'some', address: undefined },
  { host: '[localhost]', isHost: false, reach: 'some', address: undefined },
  { host: 'local host', isHost: false, reach: 'some', address: undefined },
  { host: '-a', isHost: false, reach: 'some', address: undefined },
  { host: '', isHost: false, reach: 'some', address: undefined },
]

import type { Option } from '../../command.ts'
import type { Command } from '../../invocation.ts'

const INSTANCE: Option = { type: 'string', value: 'NAME', description: 'which relay of this host (default)' }
const load = (verb: string) => () => import('./relay.ts').then(({ relayCommand }) => ({ run: relayCommand(verb) }))

/** A relay of this host, by its admin socket. @see docs/relay.md */
export const RELAY_COMMANDS: readonly Command[] = [
  {
    name: 'relay nodes',
    summary: 'list the tunnels of nodes to a relay of this host',
    arguments: [],
    options: { instance: INSTANCE },
    load: load('nodes'),
  },
  {
    name: 'relay names',
    summary: 'list the names that nodes have claimed',
    arguments: [],
    options: { instance: INSTANCE },
    load: load('names'),
  },
  {
    name: 'relay claim',
    summary: 'give a name to a node',
    arguments: [{ name: 'NAME' }, { name: 'NODE' }],
    options: { instance: INSTANCE },
    notes:
      'NODE is the id of a node: gatectl relay status shows it there. No invite is needed; what is reserved stays so. The gateway of the node takes visitors of the name only where its relay.custom_domain or relay.names has it.',
    load: load('claim'),
  },
  {
    name: 'relay release',
    summary: 'take a name away from its node',
    arguments: [{ name: 'NAME' }],
    options: { instance: INSTANCE },
    notes: 'No other node is given the name for 90 days: certificates for it may still be valid.',
    load: load('release'),
  },
  {
    name: 'relay invite',
    summary: 'make an invite, with which a node may claim names',
    arguments: [],
    options: {
      instance: INSTANCE,
      uses: { type: 'string', value: 'COUNT', description: 'names that it is good for (1)' },
      days: { type: 'string', value: 'DAYS', description: 'how long it is good (7; 365 at most)' },
      note: { type: 'string', value: 'TEXT', description: 'for whom it is' },
      list: { type: 'boolean', description: 'list those that can still be used; their texts are kept nowhere' },
    },
    notes: 'The node has it in relay.invite. It matters where the relay has invite.required = true.',
    load: load('invite'),
  },
  {
    name: 'relay status',
    summary: 'say by which names and tunnels this gateway is reachable; of a relay of this host, what it does',
    arguments: [],
    options: { instance: { ...INSTANCE, description: 'a relay of this host (this gateway)' } },
    notes: 'Exits with 3 when relays are on and no tunnel is up, or a name was not given.',
    load: () => import('./status.ts'),
  },
]

import type { Tree } from '../../syntax/tree.ts'

/**
 * Every key of the configuration that is no secret, each with another value than its default; names and texts that Nix
 * might take for something else.
 */
export const everyKey: Tree = {
  server: {
    host: '127.0.0.2',
    port: 3999,
    p2p_port: 41_999,
    allow_from: ['10.0.0.0/8', '::1'],
    trusted_proxies: ['192.0.2.1'],
    allowed_hosts: ['ai.example.org'],
    allowed_origins: ['https://app.example.org'],
    max_body: '1.5MiB',
    max_buffered: '1GiB',
    keep_responses: '9d',
    max_kept: '7MiB',
    max_background: 97,
    resume_streams: '63s',
    max_recorded: '8MiB',
    max_connections: 99,
    max_concurrent: 98,
    headers_timeout: '6s',
    body_timeout: '61s',
    stall_timeout: '62s',
    drain_timeout: '31s',
  },
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Nix would interpolate it
  auth: { mode: 'none', jwt: { issuer: 'a "${b}" \'\'${c} \\ $${d}', expiration_hours: 0.25 } },
  upstreams: {
    '42': {
      enabled: false,
      provider: 'custom',
      base_url: 'http://127.0.0.1:9/v1',
      socket: '/run/x.sock',
      models: ['a b'],
      dialects: {
        anthropic: 'repair',
        google: 'translate',
        ollama: 'native',
        openai_chat: 'repair',
        openai_responses: 'native',
      },
      key_requests_per_minute: 11,
      parameters: [{ name: 'top_k', default: 7 }],
      prices: [{ model: 'a b', input: 3, output: 4 }],
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Nix would interpolate it
      system_prefix: 'Be brief: "${x}"',
      timeout: '1s',
      idle_timeout: '2s',
      connect_timeout: '3s',
    },
  },
  backends: {
    'with-a-dash': {
      enabled: false,
      provider: 'custom',
      base_url: 'http://127.0.0.1:9/v1',
      socket: '/run/y.sock',
      models: ['m'],
      dialects: {
        anthropic: 'repair',
        google: 'translate',
        ollama: 'native',
        openai_chat: 'repair',
        openai_responses: 'native',
      },
      key_requests_per_minute: 12,
      parameters: [{ name: 'top_k', default: 7 }],
      prices: [{ model: 'a b', input: 3, output: 4 }],
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Nix would interpolate it
      system_prefix: 'Be brief: "${x}"',
      timeout: '1s',
      idle_timeout: '2s',
      connect_timeout: '3s',
      agent: '/run/agent.sock',
      idle_stop: '4m',
      group: 'gpu0',
      together: 'pair',
      priority: 9,
      start_timeout: '5s',
      max_concurrent: 6,
      max_waiting: 7,
      wait_timeout: '8s',
    },
  },
  models: {
    in: {
      targets: [{ upstream: '42', model: 'x', weight: 0.5 }],
      strategy: 'weighted',
      affinity: 'none',
      category: 'c',
      parameters: [{ name: 'seed', drop: true }],
      system_prefix: 'Say "yes".',
    },
  },
  apps: { webui: { agent: '/run/gate/backends/webui/agent.sock' } },
  discovery: { enabled: false, interval: '9s' },
  letsencrypt: { enabled: true, email: 'me@example.org', staging: true, domains: ['ai.example.org'] },
  relay: { enable: true, addresses: ['relay.example.org:443'], custom_domain: 'me' },
  log: { level: 'debug', format: 'text' },
}

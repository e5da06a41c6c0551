import { createHash } from 'node:crypto'

/**
 * Ways to write a spec that together use every place. They differ in how secrets and certificates come; "own" is without
 * a proxy, where the gateway gets its certificates itself.
 */
export const WAYS = ['credential', 'env', 'file', 'own-credential', 'own-env'] as const
export type Way = (typeof WAYS)[number]

const IMAGE = (name: string): string => `example.org/${name}@sha256:${createHash('sha256').update(name).digest('hex')}`

/** A spec in which every text is unlike every other and a part of none. @param folder for files that a reader opens */
export function harmlessSpec(way: Way, folder = '/zq'): Record<string, unknown> {
  const isOwn = way.startsWith('own-')
  const form = way === 'file' ? 'file' : way.endsWith('env') ? 'env' : 'credential'
  const secret = (name: string) =>
    ({ credential: { credential: `zq-${name}-qz` }, env: { env: `ZQ_${name}_QZ` }, file: { file: `/zq/${name}/qz` } })[
      form
    ]
  const acme = {
    email: 'zqmail@zqacme.example',
    domains: ['zqdomain.example', 'zqother.example'],
    challenge: 'http-01',
    directory: 'https://zqca.example/zqdirectory',
    ca: '/zqacme.pem',
    eab_kid: 'zqkid',
    eab_hmac: secret('eab'),
    dns: {
      provider: 'rfc2136',
      api: 'https://zqapi.example/zqpath',
      api_token: secret('dnstoken'),
      server: '10.77.9.1:5353',
      zone: 'zqdnszone.example',
      key_name: 'zqkeyname.example',
      key_secret: secret('tsig'),
    },
  }
  const files = { cert: `${folder}/zqcert.pem`, key: `${folder}/zqkey.pem` }
  return {
    $schema: './zqschema.json',
    gate: {
      domain: 'zqdomain.example',
      ...(way === 'env' ? {} : { instance: 'zqi' }),
      image: IMAGE('zqgate'),
      server: {
        host: '10.77.0.1',
        allow_from: ['10.77.1.0/24'],
        admin_allow_from: ['10.77.2.0/24'],
        external_url: 'https://zqexternal.example',
        allowed_hosts: ['zqallowed.example'],
        allowed_origins: ['https://zqorigin.example'],
        // Debian's Caddy serves one gateway, and nobody behind another proxy
        ...(way === 'env' ? {} : { trusted_proxies: ['10.77.3.0/24'] }),
        open_firewall_on_interfaces: ['zqinside'],
      },
      network: { allow: ['10.77.7.1'], resolvers: ['10.77.8.1'] },
      tls: {
        ...(way === 'file' || isOwn ? { acme } : {}),
        ...(way === 'file' ? {} : { files }),
        host: '10.77.10.1',
        names: ['zqcertified.example'],
        alarm_webhook: secret('alarm'),
      },
      telemetry: { endpoint: 'http://zqcollector.example:4318', headers: secret('otlp') },
      secrets: { encryption_key: secret('seal'), previous_key: secret('sealed') },
      managed: { claude_code: '{"zqmanaged":1}' },
      usage: { keep_text: { keys: ['zqtextkey'], models: ['zqtextmodel'] } },
      auth: {
        token: secret('token'),
        username: 'zquser',
        password_hash: secret('hash'),
        proxy: {
          from: ['10.77.11.1'],
          user_header: 'zq-user',
          email_header: 'zq-email',
          groups_header: 'zq-groups',
          roles: [{ group: 'zqproxied', role: 'admin' }],
        },
        tailscale: { tailnets: ['zqtail.example'] },
        jwt: { secret: secret('jwt'), issuer: 'zqissuer' },
        oidc: {
          zqoidc: {
            issuer: 'https://zqidp.example/x',
            client_id: 'zqclient',
            client_secret: secret('oidc'),
            scopes: 'openid zqscope',
            claim: 'zqclaim',
            roles: [{ group: 'zqpeople', role: 'viewer' }],
            otherwise: 'none',
          },
        },
      },
    },
    upstreams: {
      zqup: {
        provider: 'custom',
        base_url: 'https://zqup.example/v1',
        socket: '/zqsocket',
        api_key: secret('upkey'),
        models: ['zqupmodel'],
        parameters: [{ name: 'zqupfield', json: '7700011' }],
        system_prefix: 'zqupprefix',
        tool_arguments: 'check',
        prices: [{ model: 'zqpriced', input: 1, output: 2 }],
      },
    },
    backends: {
      zqvllm: {
        engine: 'vllm',
        uid: 41_001,
        image: IMAGE('zqvllm'),
        model: 'Zqorg/zqmodel',
        gpu: { kind: 'nvidia', devices: ['zqgpu'] },
        listen: 'tcp',
        port: 18_443,
        api_key: secret('backkey'),
        hub: { token: secret('hub') },
        group: 'zqgroup',
        together: 'zqset',
        args: ['zqarg'],
      },
      zqown: {
        engine: 'custom',
        uid: 41_002,
        image: IMAGE('zqown'),
        image_archive: '/zqarchive.tar',
        group: 'zqgroup',
        together: 'zqset',
        args: ['--zqfirst', '--last=zqlast'],
        environment: { ZQ_PLAIN_QZ: 'zqplain' },
        secrets: { ZQ_SECRET_QZ: secret('own') },
        volumes: [{ name: 'zqvolume', path: '/zqmount' }],
        files: { zqfile: 'Zqdir/zqpart.gguf' },
        mounts: [{ source: '/zqdisk', path: '/zqseen' }],
        config_files: [
          { path: '/zqconf/zqinline', text: 'zqcontent' },
          { path: '/zqconf/zqlaid', source: '/zqsettings' },
        ],
        ulimits: { memlock: '64MiB', nofile: 4096, stack: 'unlimited' },
        time_zone: 'Zqarea/Zqcity',
        health: { command: ['zqprobe', '--zqdeep'] },
      },
      zqapp: {
        engine: 'open-webui',
        uid: 41_003,
        image: IMAGE('zqapp'),
        network: true,
        port: 18_444,
        ...(isOwn ? {} : { expose: 'zqexposed' }),
        links: ['zqlinked'],
      },
      zqrouter: {
        engine: 'llama-cpp',
        uid: 41_004,
        image: IMAGE('zqrouter'),
        router: { directory: 'Zqmany/zqmodels', presets: '/zqpresets', max_loaded: 2 },
      },
      // without a key, whose place among those of others would follow from its name
      zqlinked: {
        engine: 'custom',
        uid: 41_005,
        image: IMAGE('zqlinked'),
        listen: 'tcp',
        port: 18_445,
        notify: 'started',
      },
    },
    models: {
      zqalias: {
        category: 'zqcategory',
        failover: 'mid-stream',
        parameters: [{ name: 'zqfield', json: '7700012' }],
        system_prefix: 'zqprefix',
        targets: [
          { backend: 'zqvllm' },
          {
            upstream: 'zqup',
            model: 'zqtarget',
            // below that of its upstream
            base_url: 'https://zqup.example/v1',
            parameters: [{ name: 'zqtargetfield', json: '7700013' }],
            system_prefix: 'zqtargetprefix',
          },
          { alias: 'zqinner' },
        ],
      },
      zqinner: { targets: [{ upstream: 'zqup', model: 'zqinnermodel' }] },
    },
    budgets: {
      zqbudget: {
        limit: '200 USD',
        window: 'month',
        zone: 'Europe/Berlin',
        scope: 'key:zqscope',
        soft: true,
        overdraft: '7 USD',
        unknown_price: 'refuse',
      },
    },
    categories: { zqcategorized: { description: 'zqdescribed' } },
    limits: {
      zqlimit: { requests_per_minute: 7701, tokens_per_minute: 7702, concurrent: 7703, scope: 'user:zqlimited' },
    },
    alerts: {
      zqalert: { kind: 'webhook', url: secret('alerturl'), secret: secret('alertsign'), token: secret('alerttoken') },
    },
    ...(isOwn ? {} : { proxy: { engine: way === 'env' ? 'caddy' : 'nginx', aliases: ['zqhost'] } }),
    dns: { engine: 'dnsmasq', listen: 'zqoutside', forward: ['10.77.4.1'] },
    relay: {
      enable: true,
      addresses: ['zqrelay.example:443'],
      domain: 'zqrelays.example',
      custom_domain: 'zqcustom',
      names: ['zqrelayed.example'],
      invite: secret('invite'),
      pins: ['GnZXd2vPeZzcZhPzVxZ1x9UEu6e0bV1HkQ3nJr0aM2I='],
      ca: '/zqrelayca.pem',
      ct_log: 'https://zqlogs.example/{name}',
      backends: [{ names: ['zqbackend.example'], address: 'unix:/zqbackend.sock', proxy_protocol: 'v1' }],
    },
    peers: {
      zqpeer: {
        node: 'abcdefghijklmnopqrstuvwxyz234567',
        addresses: ['zqdirect.example:41147'],
        relays: ['zqpeer.example:443'],
      },
    },
    relays: {
      zqserver: {
        https_port: 8444,
        bind_address: '10.77.5.1',
        domain_suffix: 'zqsuffix.example',
        allow_from: ['10.77.6.0/24'],
        open_firewall_on_interfaces: ['zqrelays'],
        trusted_proxies: ['10.77.7.0/24'],
        public_address: 'zqpublic.example:31145',
        invite: { required: true },
        registry: {
          kind: 'etcd',
          path: '/zqregistry.json',
          endpoints: ['https://zqetcd.example:2379'],
          ca_file: '/zqetcd-ca.pem',
          cert_file: '/zqetcd.pem',
          key_file: '/zqetcd.key',
          user: 'zquser',
          password: secret('etcd'),
        },
        limits: { visitors: 77, buffered: '7MiB', window: '2MiB', idle_timeout: '7m' },
        tls: {
          cert_file: '/zqrelay.pem',
          key_file: '/zqrelay.key',
          acme: {
            enabled: true,
            directory: 'https://zqca.example/dir',
            email: 'zq@zq.example',
            ca_file: '/zqroot.pem',
          },
        },
        dns: {
          provider: 'cloudflare',
          api_token: secret('zone'),
          zone_id: 'zqzone',
          rfc2136: {
            server: 'zqdns.example:53',
            zone: 'zqtsigzone.example',
            key_name: 'zqkey',
            algorithm: 'hmac-sha512',
            secret: secret('tsig'),
          },
        },
      },
    },
    sandbox: { image: IMAGE('zqsandbox') },
    client: { enable: true, ca: '/zqca.pem' },
  }
}

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where a server also listens for TLS, and with which certificate and key; paths of PEM files. */
export type TlsPlace = { readonly port: number; readonly cert: string; readonly key: string }

type Place = { readonly directory: string; readonly port: number; readonly tls?: TlsPlace | undefined }

/** Writes the configuration of the mock: every request gets the same whole answer. @returns the command line */
export function nginxAnswers(place: Place): string[] {
  return write(place, '', `default_type application/json; return 200 '${JSON.stringify(ANSWER)}';`)
}

/** Writes the configuration of a reverse proxy with kept-alive upstream connections, over TLS too where that is asked for. @returns the command line */
export function nginxProxy(place: Place & { readonly upstreamPort: number }): string[] {
  return write(
    place,
    `upstream mock { server 127.0.0.1:${place.upstreamPort}; keepalive 1024; keepalive_requests 100000000; }`,
    'proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;',
  )
}

const ANSWER = {
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: 'mock',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'Hello there, how may I help you today?', refusal: null },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 75, completion_tokens: 9, total_tokens: 84 },
  system_fingerprint: 'fp_mock',
}

function write({ directory, port, tls }: Place, http: string, location: string): string[] {
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  const text = `
daemon off; worker_processes 1; pid ${directory}/nginx.pid; ${user}
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 100000000; keepalive_timeout 600s; tcp_nodelay on;
  client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy; fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi; scgi_temp_path ${directory}/scgi;
  ${http}
  server { listen 127.0.0.1:${port}; ${tls === undefined ? '' : listenTls(tls)} location / { ${location} } }
}
`
  writeFileSync(join(directory, 'nginx.conf'), text)
  return ['nginx', '-p', directory, '-e', 'stderr', '-c', 'nginx.conf']
}

// its own defaults are worse for it: no session cache, and 100 requests for each connection of HTTP/2
const listenTls = ({ port, cert, key }: TlsPlace): string =>
  `listen 127.0.0.1:${port} ssl http2; ssl_certificate ${cert}; ssl_certificate_key ${key}; ` +
  'ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:bench:10m; http2_max_concurrent_streams 128;'

# Made by "npm run generate"; changes here are lost.
# Keys that the daemon's configuration and the spec both have, as paths in settings and in the options.
[
  { setting = [ "server" "host" ]; option = [ "host" ]; }
  { setting = [ "server" "port" ]; option = [ "port" ]; }
  { setting = [ "server" "p2pPort" ]; option = [ "p2pPort" ]; }
  { setting = [ "server" "allowFrom" ]; option = [ "allowFrom" ]; }
  { setting = [ "server" "adminAllowFrom" ]; option = [ "adminAllowFrom" ]; }
  { setting = [ "server" "trustedProxies" ]; option = [ "trustedProxies" ]; }
  { setting = [ "server" "proxyProtocol" ]; option = [ "proxyProtocol" ]; }
  { setting = [ "server" "externalUrl" ]; option = [ "externalUrl" ]; }
  { setting = [ "server" "allowedHosts" ]; option = [ "allowedHosts" ]; }
  { setting = [ "server" "allowedOrigins" ]; option = [ "allowedOrigins" ]; }
  { setting = [ "server" "maxBody" ]; option = [ "maxBody" ]; }
  { setting = [ "server" "maxBuffered" ]; option = [ "maxBuffered" ]; }
  { setting = [ "server" "maxConnections" ]; option = [ "maxConnections" ]; }
  { setting = [ "server" "maxConnectionsPerAddress" ]; option = [ "maxConnectionsPerAddress" ]; }
  { setting = [ "server" "maxConcurrent" ]; option = [ "maxConcurrent" ]; }
  { setting = [ "server" "headersTimeout" ]; option = [ "headersTimeout" ]; }
  { setting = [ "server" "bodyTimeout" ]; option = [ "bodyTimeout" ]; }
  { setting = [ "server" "stallTimeout" ]; option = [ "stallTimeout" ]; }
  { setting = [ "server" "drainTimeout" ]; option = [ "drainTimeout" ]; }
  { setting = [ "auth" "mode" ]; option = [ "auth" "mode" ]; }
  { setting = [ "auth" "username" ]; option = [ "auth" "username" ]; }
  { setting = [ "auth" "jwt" "issuer" ]; option = [ "auth" "jwt" "issuer" ]; }
  { setting = [ "auth" "jwt" "expirationHours" ]; option = [ "auth" "jwt" "expirationHours" ]; }
  { setting = [ "auth" "proxy" "from" ]; option = [ "auth" "proxy" "from" ]; }
  { setting = [ "auth" "proxy" "userHeader" ]; option = [ "auth" "proxy" "userHeader" ]; }
  { setting = [ "auth" "proxy" "emailHeader" ]; option = [ "auth" "proxy" "emailHeader" ]; }
  { setting = [ "auth" "proxy" "groupsHeader" ]; option = [ "auth" "proxy" "groupsHeader" ]; }
  { setting = [ "auth" "proxy" "roles" ]; option = [ "auth" "proxy" "roles" ]; }
  { setting = [ "auth" "tailscale" "tailnets" ]; option = [ "auth" "tailscale" "tailnets" ]; }
  { setting = [ "discovery" "enabled" ]; option = [ "discovery" "enabled" ]; }
  { setting = [ "discovery" "interval" ]; option = [ "discovery" "interval" ]; }
  { setting = [ "tls" "host" ]; option = [ "tls" "host" ]; }
  { setting = [ "tls" "httpsPort" ]; option = [ "tls" "httpsPort" ]; }
  { setting = [ "tls" "httpPort" ]; option = [ "tls" "httpPort" ]; }
  { setting = [ "tls" "names" ]; option = [ "tls" "names" ]; }
  { setting = [ "tls" "internalCa" ]; option = [ "tls" "internalCa" ]; }
  { setting = [ "tls" "hsts" ]; option = [ "tls" "hsts" ]; }
  { setting = [ "relay" "enable" ]; option = [ "relay" "enable" ]; }
  { setting = [ "relay" "addresses" ]; option = [ "relay" "addresses" ]; }
  { setting = [ "relay" "domain" ]; option = [ "relay" "domain" ]; }
  { setting = [ "relay" "customDomain" ]; option = [ "relay" "customDomain" ]; }
  { setting = [ "relay" "names" ]; option = [ "relay" "names" ]; }
  { setting = [ "relay" "pins" ]; option = [ "relay" "pins" ]; }
  { setting = [ "relay" "ca" ]; option = [ "relay" "ca" ]; }
  { setting = [ "relay" "ctLog" ]; option = [ "relay" "ctLog" ]; }
  { setting = [ "relay" "backends" ]; option = [ "relay" "backends" ]; }
  { setting = [ "usage" "retention" ]; option = [ "usage" "retention" ]; }
  { setting = [ "usage" "totalsRetention" ]; option = [ "usage" "totalsRetention" ]; }
  { setting = [ "usage" "keepText" "keys" ]; option = [ "usage" "keepText" "keys" ]; }
  { setting = [ "usage" "keepText" "models" ]; option = [ "usage" "keepText" "models" ]; }
  { setting = [ "usage" "textRetention" ]; option = [ "usage" "textRetention" ]; }
  { setting = [ "managed" "claudeCode" ]; option = [ "managed" "claudeCode" ]; }
  { setting = [ "log" "level" ]; option = [ "log" "level" ]; }
  { setting = [ "log" "format" ]; option = [ "log" "format" ]; }
  { setting = [ "telemetry" "endpoint" ]; option = [ "telemetry" "endpoint" ]; }
  { setting = [ "telemetry" "traces" ]; option = [ "telemetry" "traces" ]; }
  { setting = [ "telemetry" "metrics" ]; option = [ "telemetry" "metrics" ]; }
  { setting = [ "telemetry" "sample" ]; option = [ "telemetry" "sample" ]; }
  { setting = [ "telemetry" "interval" ]; option = [ "telemetry" "interval" ]; }
  { setting = [ "telemetry" "propagate" ]; option = [ "telemetry" "propagate" ]; }
]

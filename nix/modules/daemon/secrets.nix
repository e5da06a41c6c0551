# Secrets that systemd hands to the daemon, named like the keys that they fill; and which of them no user wrote.
{ lib }:
let
  engines = import ../../generated/engines.nix;
  unitText = import ../../lib/unit-text.nix;
  tls = import ../../lib/tls.nix { inherit lib; };
  sourceOf = reference: reference.file or reference.credential;

  # As the compiler decides it: an engine on TCP that can check a key gets one that is made once.
  isGenerated = { backend, ... }:
    backend.apiKey == null && listenOf backend == "tcp" && engines.${backend.engine}.canCheckKeys;
  # As the compiler decides it: whether a port of the host leads to a backend.
  isPublished = backends: { name, backend, ... }:
    listenOf backend == "tcp" && (backend.port != null || backend.expose != null
      || !engines.${backend.engine}.isUpstream || lib.any (other: lib.elem name other.backend.links) backends);
  listenOf = backend: if backend.listen != null then backend.listen else engines.${backend.engine}.listen;

  # [ { key, source } ] in the order of the compiler
  ofGateway = { cfg, ... }:
    let
      own = key: reference: lib.optional (reference != null) { inherit key; source = sourceOf reference; };
    in
    own "auth.token" cfg.auth.token
    ++ own "auth.password_hash" cfg.auth.passwordHash
    ++ own "auth.jwt.secret" cfg.auth.jwt.secret
    ++ own "telemetry.headers" cfg.telemetry.headers
    ++ own "secrets.encryption_key" cfg.secrets.encryptionKey
    ++ own "secrets.previous_key" cfg.secrets.previousKey
    ++ lib.optionals (tls.isServed cfg) (ofTls own cfg.tls)
    ++ own "relay.invite" cfg.relay.invite
    ++ lib.concatMap (name: own "auth.oidc.${name}.client_secret" cfg.auth.oidc.${name}.clientSecret)
      (lib.attrNames cfg.auth.oidc)
    ++ lib.concatMap (upstream: own "upstreams.${upstream.name}.api_key" upstream.apiKey)
      (lib.sort (a: b: a.name < b.name) cfg.initialUpstreams)
    ++ lib.concatMap (name: ofAlert own "alerts.${name}" cfg.alerts.${name}) (lib.attrNames cfg.alerts);

  ofAlert = own: key: { url, secret, token, ... }:
    own "${key}.url" url ++ own "${key}.secret" secret ++ own "${key}.token" token;

  ofTls = own: { alarmWebhook, acme, ... }:
    own "tls.alarm_webhook" alarmWebhook
    ++ lib.optionals (acme != null) (own "tls.acme.eab_hmac" acme.eabHmac)
    ++ lib.optionals (acme.dns or null != null)
      (own "letsencrypt.dns.api_token" acme.dns.apiToken ++ own "letsencrypt.dns.key_secret" acme.dns.keySecret);

  ofBackends = { names, backends, ... }:
    lib.concatMap
      (one:
        let
          key = "backends.${one.name}.api_key";
          written = one.backend.apiKey;
        in
        if !engines.${one.backend.engine}.isUpstream then [ ]
        else if isGenerated one then [ { inherit key; source = "${names.generatedDirectory}/backends.${one.name}.api_key"; } ]
        else lib.optional (written != null) { inherit key; source = sourceOf written; })
      backends;

  ofCredentials = { cfg, ... }: lib.mapAttrsToList (key: source: { inherit key source; }) cfg.credentials;
in
{
  inherit isGenerated isPublished;

  needsGenerated = { backends, ... }:
    lib.any (one: isGenerated one && engines.${one.backend.engine}.isUpstream) backends;

  # Values of LoadCredential=.
  credentials = gateway:
    map ({ key, source }: "${key}:${unitText source}") (ofGateway gateway ++ ofBackends gateway ++ ofCredentials gateway);

  # The backends that a unit of the host writes secrets for.
  withUnit = { backends, ... }:
    lib.filter (one: isGenerated one || one.backend.secrets != { }
      || (one.backend.apiKey != null && engines.${one.backend.engine}.canCheckKeys)) backends;

  anyGenerated = { backends, ... }: lib.any isGenerated backends;
}

# What one relay adds to the templates: its settings, its addresses, its place in the targets, and open ports.
{ config, lib, pkgs }:
{ name, cfg, ... }:
let
  keys = import ../../lib/keys.nix { inherit lib; };
  listen = import ../../lib/listen.nix { inherit lib; };
  unitText = import ../../lib/unit-text.nix;
  onSwitch = import ../../lib/on-switch.nix { inherit lib pkgs; };
  tree = (import ../../generated/spec-keys.nix).keys.relays.names;
  # settings lie over the options
  own = lib.recursiveUpdate (keys.toToml tree cfg) (keys.toToml tree cfg.settings);
  dns = if (own.dns or null) != null && own.dns.enabled or true then own.dns else null;

  # a table of the relay's configuration, as one variable
  table = value: secrets: if value == null then null else builtins.toJSON (removeAttrs value secrets);
  isDialling = dns != null || (own.registry.kind or "file") == "etcd" || (own.tls.acme.enabled or false);

  variables = [
    { name = "HTTPS_PORT"; value = own.https_port; }
    { name = "P2P_PORT"; value = own.p2p_port; }
    { name = "METRICS_PORT"; value = own.metrics_port or null; }
    { name = "BIND_ADDRESS"; value = own.bind_address; }
    { name = "LOG_LEVEL"; value = own.log_level; }
    { name = "DOMAIN_SUFFIX"; value = own.domain_suffix or null; }
    { name = "ALLOW_FROM"; value = if own.allow_from == [ ] then null else builtins.toJSON own.allow_from; }
    { name = "TRUSTED_PROXIES"; value = if own.trusted_proxies == [ ] then null else builtins.toJSON own.trusted_proxies; }
    { name = "PUBLIC_ADDRESS"; value = own.public_address or null; }
    { name = "INVITE"; value = table (own.invite or null) [ ]; }
    { name = "REGISTRY"; value = table (own.registry or null) [ "password" ]; }
    { name = "LIMITS"; value = table (own.limits or null) [ ]; }
    { name = "TLS"; value = table (own.tls or null) [ ]; }
  ] ++ lib.optionals (dns != null) [
    { name = "DNS__PROVIDER"; value = dns.provider; }
    { name = "DNS__CLOUDFLARE__ZONE_ID"; value = dns.zone_id or null; }
    { name = "DNS__RFC2136"; value = table (dns.rfc2136 or null) [ "secret" ]; }
  ];
  # as systemd.exec(5) reads it: words, in quotes where a sign of a list is in it
  environment = lib.concatMap
    ({ name, value }:
      let text = "RELAY__${name}=${toString value}"; in
      lib.optional (value != null)
        (if builtins.match "[A-Za-z0-9_@%+=:,./-]+" text != null then text
        else ''"${builtins.replaceStrings [ "\\" ''"'' ] [ "\\\\" ''\"'' ] text}"''))
    variables;

  # secrets by the key of the configuration that they fill
  secrets = lib.filterAttrs (_: secret: secret != null) {
    "dns.cloudflare.api_token" = if dns == null then null else cfg.dns.apiToken or null;
    "dns.rfc2136.secret" = if dns == null || cfg.dns.rfc2136 or null == null then null else cfg.dns.rfc2136.secret;
    "registry.password" = if cfg.registry == null then null else cfg.registry.password;
  };
  credentials = lib.mapAttrsToList (key: secret: "${key}:${unitText (secret.file or secret.credential)}") secrets;
  addresses = lib.optionalAttrs (own.allow_from != [ ]) {
    IPAddressDeny = "any";
    IPAddressAllow = lib.concatStringsSep " " ([ "localhost" ] ++ own.allow_from);
  };

  dropIn = { overrideStrategy = "asDropin"; };
  socket = port: dropIn // {
    wantedBy = [ "sockets.target" ];
    socketConfig = { ListenStream = listen.stream own.bind_address port; } // addresses;
  };
  ports = { allowedTCPPorts = [ own.https_port own.p2p_port ]; };
in
{
  systemd.services."gate-relay@${name}" = dropIn // {
    wantedBy = [ "multi-user.target" ];
    path = lib.mkForce [ ];
    serviceConfig = { Environment = environment; }
      // lib.optionalAttrs (credentials != [ ]) {
        LoadCredential = if lib.length credentials == 1 then lib.head credentials else credentials;
      }
      # what a relay says to others would meet systemd's list as well
      // lib.optionalAttrs (!isDialling) addresses
      // lib.optionalAttrs (cfg.environmentFile != null) { EnvironmentFile = unitText cfg.environmentFile; };
  };
  systemd.sockets."gate-relay-https@${name}" = socket own.https_port;
  systemd.sockets."gate-relay-p2p@${name}" = socket own.p2p_port;
  systemd.sockets."gate-relay-admin@${name}" = dropIn // {
    wantedBy = [ "sockets.target" ];
    socketConfig.ListenStream = "/run/gate-relay/${name}/admin.sock";
  };
  # the relay restarts with its sockets
  systemd.services."gate-relay-${name}-address" = onSwitch "Gate relay ${name}: new addresses take effect"
    [ own.bind_address own.https_port own.p2p_port own.allow_from ]
    [ "${config.systemd.package}/bin/systemctl --no-block restart gate-relay-https@${name}.socket gate-relay-p2p@${name}.socket" ];
  networking.firewall =
    if own.open_firewall then ports
    else { interfaces = lib.genAttrs own.open_firewall_on_interfaces (_: ports); };
}

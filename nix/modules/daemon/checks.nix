# What is wrong with the gateways of a host, and what may be: each message says what to write instead.
{ config, lib, gateways, relays }:
let
  keys = import ../../lib/keys.nix { inherit lib; };
  listen = import ../../lib/listen.nix { inherit lib; };
  tls = import ../../lib/tls.nix { inherit lib; };
  shared = import ./shared-keys.nix { inherit lib; };
  secrets = import ./secrets.nix { inherit lib; };
  ids = import ./ids.nix;
  settingsKeys = import ../../generated/settings-keys.nix;
  specKeys = (import ../../generated/spec-keys.nix).keys;
  inherit (lib) concatMap concatStringsSep optional;
  path = concatStringsSep ".";

  # ---- one gateway: messages of what must not be
  errors = { where, cfg, ... }@gateway:
    shared.contradictions where cfg
    ++ settingErrors gateway
    ++ credentialErrors gateway
    ++ nameErrors gateway
    ++ portErrors gateway
    ++ webErrors gateway
    ++ concatMap (backendErrors gateway) gateway.backends
    ++ optional (cfg.relay.enable && cfg.relay.addresses == [ ])
      ''${where}.relay.enable needs a relay: write relay.addresses = [ "relay.example.org:443" ]''
    ++ optional (!listen.isAddress (listen.address cfg.host))
      ''${where}.host = "${cfg.host}" is a name, which a socket unit cannot look up: write an address such as "127.0.0.1"''
    ++ optional (tls.isServed cfg && cfg.tls.host != null && !listen.isAddress (listen.address cfg.tls.host))
      ''${where}.tls.host = "${cfg.tls.host}" is a name, which a socket unit cannot look up: write an address, or leave it out for every address'';

  settingErrors = { where, cfg, ... }:
    concatMap
      (place:
        let name = "${where}.settings.${path place.path}"; in
        if place.kind == "unknown" then
          [ "${name} does not exist; ${keys.suggestion (lib.last place.path) place.keys}" ]
        else if place.kind == "secret" then
          [ ''${name} is a secret, and settings are in the Nix store, which every user can read: write ${where}.credentials."${tomlPath place.path}" = "/run/secrets/…"'' ]
        else [ ])
      (keys.places settingsKeys cfg.settings);
  tomlPath = names: path (map keys.snakeCase names);

  credentialErrors = { where, cfg, ... }:
    concatMap
      (key:
        let
          found = keys.places settingsKeys (lib.setAttrByPath (lib.splitString "." key) true);
          place = lib.head found;
        in
        if place.kind == "unknown" then
          [ ''${where}.credentials."${key}" is not a key of the configuration; ${keys.suggestion (lib.last place.path) place.keys}'' ]
        else optional (place.kind == "value") ''${where}.credentials."${key}" is not a secret: write ${where}.settings.${path (map keys.camelCase (lib.splitString "." key))}'')
      (lib.attrNames cfg.credentials)
    ++ map (place: "${place.what} is in the Nix store, which every user can read: name a file that sops-nix or agenix makes, such as /run/secrets/name")
      (lib.filter (place: isInStore place.file) (secretFiles { inherit where cfg; }));

  isInStore = file: builtins.isPath file || lib.hasPrefix "${builtins.storeDir}/" (toString file);
  secretFiles = { where, cfg }:
    let
      one = what: file: { what = "${where}.${what}"; inherit file; };
      reference = what: value: optional (value ? file) (one what value.file);
    in
    optional (cfg.environmentFile != null) (one "environmentFile" cfg.environmentFile)
    ++ lib.mapAttrsToList (key: one ''credentials."${key}"'') cfg.credentials
    ++ reference "auth.token.file" (orEmpty cfg.auth.token)
    ++ reference "auth.passwordHash.file" (orEmpty cfg.auth.passwordHash)
    ++ reference "auth.jwt.secret.file" (orEmpty cfg.auth.jwt.secret)
    ++ reference "telemetry.headers.file" (orEmpty cfg.telemetry.headers)
    ++ reference "secrets.encryptionKey.file" (orEmpty cfg.secrets.encryptionKey)
    ++ reference "secrets.previousKey.file" (orEmpty cfg.secrets.previousKey)
    ++ concatMap
      (name: concatMap (key: reference "alerts.${name}.${key}.file" (orEmpty cfg.alerts.${name}.${key})) [ "url" "secret" "token" ])
      (lib.attrNames cfg.alerts)
    ++ reference "tls.alarmWebhook.file" (orEmpty cfg.tls.alarmWebhook)
    ++ reference "relay.invite.file" (orEmpty cfg.relay.invite)
    ++ reference "tls.acme.eabHmac.file" (orEmpty (cfg.tls.acme.eabHmac or null))
    ++ reference "tls.acme.dns.apiToken.file" (orEmpty (cfg.tls.acme.dns.apiToken or null))
    ++ reference "tls.acme.dns.keySecret.file" (orEmpty (cfg.tls.acme.dns.keySecret or null))
    ++ concatMap (upstream: reference "initialUpstreams (${upstream.name}).apiKey.file" (orEmpty upstream.apiKey)) cfg.initialUpstreams
    ++ lib.concatLists (lib.mapAttrsToList
      (name: backend: reference "backends.${name}.apiKey.file" (orEmpty backend.apiKey)
        ++ lib.concatLists (lib.mapAttrsToList (variable: value: reference "backends.${name}.secrets.${variable}.file" value) backend.secrets))
      cfg.backends)
    ++ optional (cfg.tls.files != null) (one "tls.files.key" cfg.tls.files.key);
  orEmpty = value: if value == null then { } else value;

  nameErrors = { where, instance, cfg, ... }:
    optional (instance != null && builtins.match "[a-z0-9]([a-z0-9-]{0,3}[a-z0-9])?" instance == null)
      "${where}: an instance is part of user names, which end after 31 characters: use at most 5 lower-case letters, digits and -"
    ++ map (name: ''${where}.initialUpstreams has "${name}" twice: name each upstream once'')
      (repeated (map (upstream: upstream.name) cfg.initialUpstreams))
    ++ map (name: "${where}: ${name} is an upstream and a backend, which are the same to the daemon: rename one of them")
      (lib.intersectLists (map (upstream: upstream.name) cfg.initialUpstreams) (lib.attrNames cfg.backends));

  repeated = items: lib.unique (lib.filter (item: lib.count (other: other == item) items > 1) items);

  portErrors = { where, cfg, ... }:
    map (name: "${where}.${name} = \"random\" has no lock file to keep the port in: write a number")
      (lib.filter (name: cfg.${name} == "random") [ "port" "p2pPort" ]);

  webErrors = { where, cfg, ... }:
    optional (cfg.proxy.engine == "nginx" && cfg.tls.acme != null && cfg.tls.acme.challenge == "dns-01")
      ''${where}.tls.acme.challenge = "dns-01" needs a DNS provider, which Gate does not know: write security.acme.certs."${lib.head cfg.tls.acme.domains}" yourself and name its files in tls.files, or write challenge = "http-01"''
    ++ optional (cfg.proxy.engine != "none" && cfg.domain == null)
      ''${where}.proxy needs the name that clients ask for: write domain = "ai.example.org"''
    ++ optional (cfg.dns.engine != "none" && (cfg.domain == null || cfg.dns.listen == null))
      ''${where}.dns needs a domain and where to listen: write domain = "ai.home.arpa" and dns.listen = "tailscale0"'';

  backendErrors = { where, prefix, backends, ... }: { name, backend, ... }@one:
    let
      at = "${where}.backends.${name}";
      nvidia = backend.gpu.kind == "nvidia";
    in
    optional (builtins.match "[a-z0-9]+(-[a-z0-9]+)*" name == null || lib.stringLength name > 20)
      "${at}: a backend is part of a user name, ${prefix}-${name}, which ends after 31 characters: use at most 20 lower-case letters and digits, with single - between"
    ++ optional (backend.uid == null) "${at} has no user id: write uid = 40000; (or another from 1000 to 59999 that is free), and never change it"
    ++ optional (secrets.isPublished backends one && !builtins.isInt backend.port)
      "${at} needs a port of the host, and no lock file keeps one: write port = 8001; (or another that is free)"
    ++ optional (nvidia && !(hasNvidia config))
      ''${at}.gpu.kind = "nvidia" needs the driver: write services.xserver.videoDrivers = [ "nvidia" ]; (no X server comes with it)''
    ++ optional (nvidia && !config.hardware.nvidia-container-toolkit.enable)
      ''${at}.gpu.kind = "nvidia" needs hardware.nvidia-container-toolkit.enable = true;'';
  hasNvidia = host: lib.elem "nvidia" host.services.xserver.videoDrivers || host.hardware.nvidia.datacenter.enable or false;

  # ---- all gateways and relays of the host together
  listenersOf = { where, cfg, backends, ... }:
    let one = option: port: host: protocol: { what = "${where}.${option}"; inherit port host protocol; }; in
    [ (one "port" cfg.port cfg.host "tcp") (one "p2pPort" cfg.p2pPort cfg.host "tcp") ]
    ++ lib.optionals (cfg.proxy.engine != "none") ([ (one "proxy.httpPort" cfg.proxy.httpPort "*" "tcp") ]
      ++ optional (tls.has cfg) (one "proxy.httpsPort" cfg.proxy.httpsPort "*" "tcp"))
    ++ lib.mapAttrsToList (name: port: one "tls.${name}Port" port (tls.host cfg) "tcp") (tls.ports cfg)
    ++ concatMap (backend: optional (builtins.isInt backend.backend.port && secrets.isPublished backends backend)
      (one "backends.${backend.name}.port" backend.backend.port "127.0.0.1" "tcp")) backends;
  relayListeners = { where, cfg, ... }: [
    { what = "${where}.httpsPort"; port = cfg.httpsPort; host = cfg.bindAddress; protocol = "tcp"; }
    { what = "${where}.p2pPort"; port = cfg.p2pPort; host = cfg.bindAddress; protocol = "tcp"; }
  ];
  listeners = concatMap listenersOf gateways ++ concatMap relayListeners relays;

  # Two proxies of one kind share their ports: they tell their gateways apart by name.
  isShared = a: b: lib.hasSuffix ".proxy.httpPort" a.what && lib.hasSuffix ".proxy.httpPort" b.what
    || lib.hasSuffix ".proxy.httpsPort" a.what && lib.hasSuffix ".proxy.httpsPort" b.what;
  pairs = items: lib.concatLists (lib.imap0 (i: a: map (b: { inherit a b; }) (lib.drop (i + 1) items)) items);
  collisions = concatMap
    ({ a, b }: optional (a.port == b.port && a.protocol == b.protocol && listen.overlap a.host b.host && !(isShared a b))
      "${b.what} = ${toString b.port} is already taken by ${a.what}: write another port")
    (pairs listeners);

  caddies = let behind = lib.filter ({ cfg, ... }: cfg.proxy.engine == "caddy") gateways; in
    map ({ where, ... }: ''Caddy reads one file, and ${(lib.head behind).where} has it: write ${where}.proxy.engine = "nginx"'')
      (lib.drop 1 behind)
    ++ optional (behind != [ ] && hostsSites != [ ])
      ''Caddy would read the file of ${(lib.head behind).where} alone, without services.caddy.${lib.head hostsSites}: write ${(lib.head behind).where}.proxy.engine = "nginx", or move them to another host'';
  # what the host gives Caddy itself, which configFile replaces
  hostsSites = let inherit (config.services) caddy; in
    optional (caddy.virtualHosts != { }) "virtualHosts"
    ++ optional (caddy.extraConfig != "") "extraConfig"
    ++ optional (caddy.globalConfig != "") "globalConfig";

  numbered = concatMap
    ({ where, backends, ... }: map (one: { what = "${where}.backends.${one.name}"; inherit (one.backend) uid subIdStart; }) backends)
    gateways;
  idCollisions = concatMap
    ({ a, b }:
      if a.uid == null || b.uid == null then [ ]
      else if a.uid == b.uid then [ "${b.what}.uid = ${toString b.uid} is already that of ${a.what}: write another number" ]
      else optional (a.subIdStart < b.subIdStart + ids.count && b.subIdStart < a.subIdStart + ids.count)
        "${b.what}.uid = ${toString b.uid} and ${a.what}.uid = ${toString a.uid} would get the same subordinate ids: write subIdStart for one of them")
    (pairs numbered);
  accounts = concatMap ({ backends, ... }: map (one: one.names.user) backends) gateways;
  foreignRanges = concatMap
    (user: concatMap
      (range: concatMap
        (own: optional (range.startUid < own.subIdStart + ids.count && range.startUid + range.count > own.subIdStart)
          "users.users.${user.name}.subUidRanges overlaps the ids from ${toString own.subIdStart} on, which belong to ${own.what}: move that range")
        numbered)
      user.subUidRanges)
    (lib.attrValues (removeAttrs config.users.users accounts));

  # ---- what works, but may not be meant
  warnings = { where, cfg, backends, names, ... }:
    optional (!listen.isLoopback (listen.address cfg.host) && cfg.proxy.engine == "none")
      ''${where}.host = "${cfg.host}" answers on the network without TLS: keys can be read on the way. Write tls and keep host = "127.0.0.1", or proxy.engine = "nginx" with tls''
    ++ concatMap
      ({ name, backend, names, ... }:
        optional (!(lib.hasInfix "@sha256:" backend.image) && backend.imageFile == null)
          "${where}.backends.${name}.image = \"${backend.image}\" is a tag, which may mean another image tomorrow: write …@sha256:<digest>"
        # null: whoever runs the host keeps that list
        ++ optional (config.users.users.${names.user}.linger != true)
          "users.users.${names.user}.linger is off, so nothing of backend ${name} starts at boot: leave it on")
      backends;
in
{
  assertions = map (message: { assertion = false; inherit message; })
    (concatMap errors gateways ++ collisions ++ idCollisions ++ foreignRanges ++ caddies);
  warnings = concatMap warnings gateways;
}

# The units of one gateway, from the compiler's own table, and the declared layer that they read.
{ config, lib, pkgs }:
let
  sizes = import ../../lib/sizes.nix { inherit lib; };
  secrets = import ./secrets.nix { inherit lib; };
  descriptors = import ../../generated/descriptors.nix;
  profiles = import ../../generated/profiles.nix;
  listen = import ../../lib/listen.nix { inherit lib; };
  tls = import ../../lib/tls.nix { inherit lib; };
  unitText = import ../../lib/unit-text.nix;
  onSwitch = import ../../lib/on-switch.nix { inherit lib pkgs; };
  systemctl = "${config.systemd.package}/bin/systemctl";
in
{ cfg, names, prefix, ... }@gateway:
let
  units = import ../../generated/daemon-units.nix { inherit (cfg) package; inherit prefix; };
  declared = "${lib.removePrefix "/etc/" names.declaredConfig}";
  credentials = secrets.credentials gateway;
  ofSecrets = lib.optional (secrets.needsGenerated gateway) names.secretsUnit
    # the daemon signs with what it makes
    ++ lib.optional (tls.isServed cfg && cfg.tls.acme == null && cfg.tls.files == null) names.caUnit;
  address = listen.address cfg.host;
  memory = if cfg.memory == null then profiles.${cfg.profile} else sizes.bytes cfg.memory;

  service = base: base // {
    after = base.after ++ ofSecrets ++ tlsUnits;
    wants = base.wants ++ ofSecrets ++ tlsUnits;
    partOf = base.partOf ++ tlsUnits;
    path = lib.mkForce [ ];
    # the running daemon reads another declared layer; only its own unit restarts it, and its sockets stay
    reloadTriggers = [ config.environment.etc.${declared}.source ];
    # but for what it reads of TLS when it starts
    restartTriggers = lib.optional (tlsPorts != { })
      (builtins.hashString "sha256" (builtins.toJSON [ cfg.tls (cfg.settings.tls or { }) (cfg.settings.letsencrypt or { }) cfg.domain cfg.externalUrl ]));
    stopIfChanged = false;
    serviceConfig = base.serviceConfig // {
      EnvironmentFile = [ base.serviceConfig.EnvironmentFile ]
        ++ lib.optional (cfg.environmentFile != null) (unitText cfg.environmentFile);
      Sockets = lib.concatStringsSep " " ([ base.serviceConfig.Sockets ] ++ tlsUnits);
      # profiles stay below the least
      LimitNOFILE = toString (descriptors (if cfg.maxConnections == null then 0 else cfg.maxConnections));
      MemoryHigh = toString (memory - memory / 8);
      MemoryMax = toString memory;
    } // lib.optionalAttrs (credentials != [ ]) { LoadCredential = credentials; };
  };

  # only its group reaches that socket, so what it says of a client's address is taken
  hasProxy = cfg.proxy.engine != "none";
  stream = listen.stream address cfg.port;
  streams = if hasProxy then [ stream names.proxySocket ] else stream;

  socket = base: base // {
    socketConfig = { ListenStream = streams; }
      // lib.optionalAttrs hasProxy {
        SocketGroup = config.services.${cfg.proxy.engine}.group;
        SocketMode = "0660";
        RemoveOnStop = "yes";
      }
      // lib.optionalAttrs (!listen.isOwn address) { FreeBind = "yes"; }
      // base.socketConfig;
  };
  # what the daemon serves itself, by the name of the socket
  tlsPorts = tls.ports cfg;
  tlsUnits = map (name: "${name}.socket") (lib.filter (name: tlsPorts ? ${lib.removePrefix "${names.daemonUnit}-" name}) ofTls);
  tlsHost = listen.address (tls.host cfg);
  tlsStream = port: if listen.isEvery tlsHost then toString port else listen.stream tlsHost port;
  tlsSocket = name: port:
    let base = units.sockets."${names.daemonUnit}-${name}"; in
    lib.nameValuePair "${names.daemonUnit}-${name}" (base // {
      socketConfig = { ListenStream = tlsStream port; }
        // lib.optionalAttrs (!listen.isOwn tlsHost) { FreeBind = "yes"; }
        // base.socketConfig;
    });
  ofTls = map (name: "${names.daemonUnit}-${name}") [ "https" "http" ];
in
[
  {
    systemd.services.${names.daemonUnit} = service units.services.${names.daemonUnit};
    systemd.sockets = removeAttrs units.sockets ofTls // {
      ${names.daemonUnit} = socket units.sockets.${names.daemonUnit};
    } // lib.listToAttrs (lib.mapAttrsToList tlsSocket tlsPorts);
    # the daemon restarts with its socket; what arrives meanwhile waits
    systemd.services."${prefix}-address" = onSwitch "Gate: a new address takes effect"
      (if tlsPorts == { } then streams else { inherit streams tlsHost tlsPorts; })
      [ "${systemctl} --no-block restart ${lib.concatStringsSep " " ([ "${names.daemonUnit}.socket" ] ++ tlsUnits)}" ];
    environment.etc.${declared}.source = "${cfg.files}/declared/declared.json";
  }
]

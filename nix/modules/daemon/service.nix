# The units of one gateway, from the compiler's own table, and the declared layer that they read.
{ config, lib, pkgs }:
let
  sizes = import ../../lib/sizes.nix { inherit lib; };
  secrets = import ./secrets.nix { inherit lib; };
  descriptors = import ../../generated/descriptors.nix;
  profiles = import ../../generated/profiles.nix;
  listen = import ../../lib/listen.nix { inherit lib; };
  unitText = import ../../lib/unit-text.nix;
  onSwitch = import ../../lib/on-switch.nix { inherit lib pkgs; };
  systemctl = "${config.systemd.package}/bin/systemctl";
in
{ cfg, names, prefix, ... }@gateway:
let
  units = import ../../generated/daemon-units.nix { inherit (cfg) package; inherit prefix; };
  declared = "${lib.removePrefix "/etc/" names.declaredConfig}";
  credentials = secrets.credentials gateway;
  ofSecrets = lib.optional (secrets.needsGenerated gateway) names.secretsUnit;
  address = listen.address cfg.host;
  memory = if cfg.memory == null then profiles.${cfg.profile} else sizes.bytes cfg.memory;

  service = base: base // {
    after = base.after ++ ofSecrets;
    wants = base.wants ++ ofSecrets;
    path = lib.mkForce [ ];
    # the running daemon reads another declared layer; only its own unit restarts it, and its sockets stay
    reloadTriggers = [ config.environment.etc.${declared}.source ];
    stopIfChanged = false;
    serviceConfig = base.serviceConfig // {
      EnvironmentFile = [ base.serviceConfig.EnvironmentFile ]
        ++ lib.optional (cfg.environmentFile != null) (unitText cfg.environmentFile);
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
in
[
  {
    systemd.services.${names.daemonUnit} = service units.services.${names.daemonUnit};
    systemd.sockets = units.sockets // {
      ${names.daemonUnit} = socket units.sockets.${names.daemonUnit};
    };
    # the daemon restarts with its socket; what arrives meanwhile waits
    systemd.services."${prefix}-address" = onSwitch "Gate: a new address takes effect" streams
      [ "${systemctl} --no-block restart ${names.daemonUnit}.socket" ];
    environment.etc.${declared}.source = "${cfg.files}/declared/declared.json";
  }
]

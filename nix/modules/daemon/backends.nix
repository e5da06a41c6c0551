# What the backends of one gateway need of the host: quadlets, plain user units, podman, devices, units with secrets.
{ config, lib, pkgs }:
let
  secrets = import ./secrets.nix { inherit lib; };
  onSwitch = import ../../lib/on-switch.nix { inherit lib pkgs; };
  systemctl = "${config.systemd.package}/bin/systemctl";
  podman = config.virtualisation.podman.package;
in
{ cfg, names, prefix, backends, ... }@gateway:
let
  uses = kind: lib.any (one: one.backend.gpu.kind == kind) backends;
  each = make: lib.mkMerge (map make backends);
  unitSource = one: "${prefix}/user-units/${toString one.backend.uid}";
  # of NixOS' own search path, which units of a package do not get
  withPath = unit: lib.nameValuePair (lib.removeSuffix ".service" unit) { };
in
[
  {
    systemd.packages = [ cfg.files ];
    systemd.tmpfiles.packages = [ cfg.files ];
    systemd.services = lib.listToAttrs (
      map (one: withPath one.names.secretsUnit) (secrets.withUnit gateway)
      ++ lib.optional (secrets.anyGenerated gateway) (withPath names.secretsUnit)
    );
  }
]
++ lib.optionals (backends != [ ]) [
  {
    environment.etc = each (one: {
      "containers/systemd/users/${toString one.backend.uid}".source = "${cfg.files}/quadlet/users/${toString one.backend.uid}";
      ${unitSource one}.source = "${cfg.files}/quadlet/user-units/${toString one.backend.uid}";
    } // lib.optionalAttrs (lib.any (file: file.text != null) one.backend.configFiles) {
      "${lib.removePrefix "/etc/" one.names.configDirectory}".source = "${cfg.files}/quadlet/config/${one.name}";
    });
    systemd.tmpfiles.rules = map (one: "L+ ${one.names.home}/.config/systemd/user - - - - /etc/${unitSource one}") backends;

    # a restarted user manager takes its containers with it; daemon-reload is enough for what its drop-ins say
    systemd.services = lib.listToAttrs (map
      (one: lib.nameValuePair "user@${toString one.backend.uid}" {
        overrideStrategy = "asDropin";
        path = lib.mkForce [ ];
        restartIfChanged = false;
        # which says what podman calls the devices
        after = lib.optional (one.backend.gpu.kind == "nvidia") "nvidia-container-toolkit-cdi-generator.service";
      })
      backends
    # a user manager ends with the directory that it requires
    ++ map
      (one: lib.nameValuePair (lib.removeSuffix ".service" one.names.directoryUnit) {
        overrideStrategy = "asDropin";
        path = lib.mkForce [ ];
        restartIfChanged = false;
      })
      backends
    # its user's manager reads the new units, then gets the image while the old container still answers
    ++ map
      (one:
        let manager = "${systemctl} --user --machine=${one.names.user}@.host"; in
        lib.nameValuePair "${one.names.unit}-changed"
          (onSwitch "Gate backend ${one.name}: changes take effect" [ one.backend cfg.port podman one.names.shellSocket ]
            [ "${manager} daemon-reload" "${manager} --no-block start sockets.target" "${manager} --no-block restart ${one.names.unit}-update.service" ]))
      backends);

    virtualisation.podman.enable = true;
    # quadlets wait for this unit, which finds no "sh" in the search path that NixOS compiles in
    systemd.user.services.podman-user-wait-network-online = {
      overrideStrategy = "asDropin";
      serviceConfig.ExecSearchPath = map (package: "${package}/bin") [ pkgs.bash pkgs.coreutils config.systemd.package ];
    };
  }
]
++ lib.optionals (uses "nvidia") [
  {
    hardware.nvidia-container-toolkit.enable = lib.mkDefault true;
    environment.etc."containers/containers.conf.d/50-${prefix}-cdi.conf".source =
      "${cfg.files}/quadlet/containers.conf.d/50-${prefix}-cdi.conf";
  }
]
++ lib.optionals (uses "amd" || uses "vulkan") [ { hardware.graphics.enable = lib.mkDefault true; } ]

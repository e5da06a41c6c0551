# The options of NixOS that Gate's modules set, with types as strict as NixOS has them, and the packages they name.
# Declared from the option search of NixOS 24.11; what is not listed here is a typo until somebody looks it up.
{ lib, ... }:
let
  inherit (lib) mkOption types;
  option = type: default: mkOption { inherit type default; };
  texts = option (types.listOf types.str) [ ];
  sections = option (types.attrsOf types.unitOption) { };
  # Common to all units; systemd-unit-options.nix in NixOS
  unit = {
    enable = option types.bool true;
    description = option types.str "";
    overrideStrategy = option (types.enum [ "asDropinIfExists" "asDropin" ]) "asDropinIfExists";
    documentation = texts;
    after = texts;
    before = texts;
    wants = texts;
    requires = texts;
    partOf = texts;
    startLimitIntervalSec = option (types.nullOr types.int) null;
    unitConfig = sections;
    wantedBy = texts;
    requiredBy = texts;
    aliases = texts;
    restartTriggers = texts;
    reloadTriggers = texts;
  };
  service = unit // {
    serviceConfig = sections;
    environment = option (types.attrsOf types.str) { };
    # what every service gets but for those that say otherwise
    path = option (types.listOf types.package) [ { _type = "package"; outPath = "/nix/store/coreutils"; } ];
    script = option types.lines "";
    restartIfChanged = option types.bool true;
    reloadIfChanged = option types.bool false;
    stopIfChanged = option types.bool true;
  };
  units = options: option (types.attrsOf (types.submodule { inherit options; })) { };
  ports = option (types.listOf types.port) [ ];
  openPorts = { allowedTCPPorts = ports; allowedUDPPorts = ports; };
  range = start: types.submodule {
    options = { ${start} = mkOption { type = types.int; }; count = option types.int 1; };
  };
  # as NixOS and useradd want them
  accountName = types.strMatching "[a-z_][a-z0-9_-]{0,30}";
in
{
  options = {
    assertions = option (types.listOf (types.submodule {
      options = { assertion = mkOption { type = types.bool; }; message = mkOption { type = types.str; }; };
    })) [ ];
    warnings = texts;
    environment.etc = option (types.attrsOf (types.submodule ({ name, config, ... }: {
      options = {
        text = option (types.nullOr types.lines) null;
        source = mkOption { type = types.path; };
        mode = option types.str "symlink";
      };
      config.source = lib.mkIf (config.text != null) (lib.mkDefault "/nix/store/etc-${baseNameOf name}");
    }))) { };
    environment.systemPackages = option (types.listOf types.package) [ ];
    hardware.graphics.enable = option types.bool false;
    hardware.nvidia-container-toolkit.enable = option types.bool false;
    networking.firewall = openPorts // {
      enable = option types.bool true;
      interfaces = option (types.attrsOf (types.submodule { options = openPorts; })) { };
    };
    security.acme.certs = option (types.attrsOf (types.submodule {
      options = {
        email = option (types.nullOr types.str) null;
        extraDomainNames = texts;
        webroot = option (types.nullOr types.str) null;
        group = option types.str "acme";
        reloadServices = texts;
        server = option (types.nullOr types.str) null;
      };
    })) { };
    services.caddy = {
      enable = option types.bool false;
      group = option types.str "caddy";
      configFile = option types.path "/nix/store/Caddyfile";
      virtualHosts = option (types.attrsOf (types.submodule { options.extraConfig = option types.lines ""; })) { };
      globalConfig = option types.lines "";
      extraConfig = option types.lines "";
    };
    services.dnsmasq = {
      enable = option types.bool false;
      resolveLocalQueries = option types.bool true;
      settings = option types.json { };
    };
    services.nginx = {
      enable = option types.bool false;
      group = option types.str "nginx";
      appendHttpConfig = option types.lines "";
    };
    services.xserver.videoDrivers = texts;
    systemd = {
      package = mkOption { type = types.package; };
      packages = option (types.listOf types.package) [ ];
      tmpfiles.packages = option (types.listOf types.package) [ ];
      services = units service;
      sockets = units (unit // { socketConfig = sections; });
      timers = units (unit // { timerConfig = sections; });
      slices = units (unit // { sliceConfig = sections; });
      targets = units unit;
      tmpfiles.rules = texts;
      generators = option (types.attrsOf types.path) { };
      user.generators = option (types.attrsOf types.path) { };
      user.services = units service;
    };
    users.groups = option (types.attrsOf (types.submodule {
      options = { gid = option (types.nullOr types.int) null; members = texts; };
    })) { };
    users.users = option (types.attrsOf (types.submodule ({ name, ... }: {
      options = {
        name = option accountName name;
        isSystemUser = option types.bool false;
        isNormalUser = option types.bool false;
        uid = option (types.nullOr types.int) null;
        group = option types.str "";
        extraGroups = texts;
        description = option types.str "";
        home = option types.path "/var/empty";
        createHome = option types.bool false;
        # since 25.05 also null
        linger = option (types.nullOr types.bool) false;
        subUidRanges = option (types.listOf (range "startUid")) [ ];
        subGidRanges = option (types.listOf (range "startGid")) [ ];
      };
    }))) { };
    virtualisation.podman = {
      enable = option types.bool false;
      package = mkOption { type = types.package; };
    };
  };
}

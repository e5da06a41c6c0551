# What hosts would be with modules that a page shows, with the stand-in for nixpkgs; as one value that becomes JSON.
# `flakes` are whole flakes with an input "gate", of which the only host is shown.
{ modules ? { }, flakes ? { } }:
let
  nixpkgs = import ./stub-nixpkgs.nix;
  inherit (nixpkgs) lib;
  gate = (import ../../flake.nix).outputs { self = gate // { outPath = toString ../..; }; inherit nixpkgs; };

  host = config: {
    failed = map (one: one.message) (builtins.filter (one: !one.assertion) config.assertions);
    inherit (config) warnings;
    package = config.services.gate-daemon.package.pname or config.services.gate-daemon.package.name;
    installed = map (package: package.name) config.environment.systemPackages;
    ports = config.networking.firewall.allowedTCPPorts;
    declared = map (package: package.environment) (builtins.filter (package: package ? environment) config.systemd.packages);
    services = lib.mapAttrs (_: unit: unit.serviceConfig) config.systemd.services;
    sockets = lib.mapAttrs (_: unit: unit.socketConfig) config.systemd.sockets;
  };
  ofModule = module: host (lib.nixosSystem {
    modules = [ gate.nixosModules.default ./stub-secrets.nix (module { inherit gate; }) ];
  }).config;
  ofFlake = flake:
    let outputs = flake.outputs { self = outputs; inherit nixpkgs gate; }; in
    host (lib.last (lib.attrValues outputs.nixosConfigurations)).config;
in
lib.mapAttrs (_: ofModule) modules // lib.mapAttrs (_: ofFlake) flakes

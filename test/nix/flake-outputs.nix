# What the flake offers, as one value that becomes JSON; every attribute of every output is forced.
let
  nixpkgs = import ./stub-nixpkgs.nix;
  inherit (nixpkgs) lib;
  root = ../..;
  flake = import (root + "/flake.nix");
  outputs = flake.outputs (
    lib.genAttrs (builtins.attrNames (builtins.functionArgs flake.outputs)) (
      input: if input == "self" then outputs // { outPath = toString root; } else { inherit nixpkgs; }.${input}
    )
  );
  each = show: lib.mapAttrs (_system: lib.mapAttrs (_name: show));
  derivation = package: "${package.outPath}";
  # what is wrong with a host, and which units of ours it has; forces all of its options that matter
  host = config: {
    failed = map (one: one.message) (builtins.filter (one: !one.assertion) config.assertions);
    inherit (config) warnings;
    units = map (name: "${name}.service") (builtins.attrNames config.systemd.services)
      ++ map (name: "${name}.socket") (builtins.attrNames config.systemd.sockets);
    forced = builtins.deepSeq [ config.systemd.services config.systemd.sockets config.users config.networking.firewall ] true;
    next = lib.mapAttrs (_: host) config.specialisation;
  };
  machines = lib.mapAttrs (_: test: { inherit (test) testScript; nodes = lib.mapAttrs (_: host) test.nodes; });
in
{
  inputs = builtins.attrNames flake.inputs;
  outputs = builtins.attrNames outputs;
  modules = lib.mapAttrs (_: toString) outputs.nixosModules;
  overlays = builtins.attrNames outputs.overlays;
  overlaid = lib.mapAttrs (_: pkgs: lib.genAttrs [ "gate" "gate-daemon" "gate-relay" ] (name: derivation pkgs.${name})) (
    lib.mapAttrs (_: pkgs: pkgs.extend outputs.overlays.default) nixpkgs.legacyPackages
  );
  packages = each derivation outputs.packages;
  apps = each (app: app) outputs.apps;
  devShells = each (shell: map (package: package.name) shell.packages) outputs.devShells;
  formatter = lib.mapAttrs (_: derivation) outputs.formatter;
  package = {
    inherit (outputs.packages.x86_64-linux.gate) pname version meta src installPhase;
    lock = outputs.packages.x86_64-linux.gate.npmDeps.packageLock.packages;
    archives = builtins.mapAttrs (_: archive: { inherit (archive) name script; hash = archive.environment.outputHash; })
      outputs.packages.x86_64-linux.gate.npmDeps.packageSourceOverrides;
  };
  tests = machines outputs.packages.x86_64-linux.gate.tests;
  checks = each derivation outputs.checks;
  configurations = lib.mapAttrs (_: one: host one.config) outputs.nixosConfigurations;
  buildable = lib.mapAttrs (_: one: derivation one.config.system.build.vm) outputs.nixosConfigurations;
  # as nixpkgs/nixos evaluates --arg configuration ./nix/test-config.nix
  testConfig = host (lib.nixosSystem { modules = [ (root + "/nix/test-config.nix") ]; }).config;
}

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
  };
  tests = lib.mapAttrs (_: test: test.testScript) outputs.packages.x86_64-linux.gate.tests;
  waitingTests = lib.mapAttrs (_: test: test.testScript) outputs.packages.x86_64-linux.gate.waitingTests;
}

# Configurations that must evaluate with the module system of nixpkgs itself; nothing of them is built.
{ lib, pkgs }:
let
  evaluated =
    name: configuration:
    let
      host = lib.nixosSystem {
        modules = [
          configuration
          { nixpkgs.hostPlatform = pkgs.stdenv.hostPlatform.system; }
        ];
      };
      # the name of the system says that it could be made; without its context nothing builds it
      system = builtins.unsafeDiscardStringContext host.config.system.build.toplevel.drvPath;
    in
    pkgs.writeText "gate-${name}-evaluates" system;
in
lib.mapAttrs evaluated {
  test-config = ./test-config.nix;
  test-vm = {
    imports = [
      ./modules
      ./test-vm.nix
    ];
  };
}

# Virtual machines that run Gate; `nix flake check` builds them.
{ lib, testers }:
let
  machines = lib.mapAttrs (_name: file: testers.runNixOSTest file);
in
{
  tests = machines {
    first-request = ./first-request.nix;
    runtime-edit = ./runtime-edit.nix;
    rootless-backend = ./rootless-backend.nix;
    upgrade = ./upgrade.nix;
    rollback = ./rollback.nix;
    two-relays = ./two-relays.nix;
  };
}

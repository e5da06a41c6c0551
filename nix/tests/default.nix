# Virtual machines that run Gate. `nix flake check` builds those in `tests`; what is in `waiting` needs a program that is
# not built yet, and moves over when it is.
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
  };

  # gate-relay
  waiting = machines {
    two-relays = ./two-relays.nix;
  };
}

# The templates of all relays, from the compiler's own table.
{ lib, package }:
let
  units = import ../../generated/relay-units.nix { inherit package; };
  ofTemplate = _: unit: unit // { path = lib.mkForce [ ]; stopIfChanged = false; };
in
{
  systemd.services = builtins.mapAttrs ofTemplate units.services;
  systemd.sockets = units.sockets;
  environment.systemPackages = [ package ];
  # its members use the admin sockets
  users.groups.gate-admin = { };
  systemd.tmpfiles.rules = [ "d /etc/gate 0755 root root - -" ];
}

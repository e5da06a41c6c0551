# The templates of all relays, from the compiler's own table.
{ package }:
let
  units = import ../../generated/relay-units.nix { inherit package; };
  ofTemplate = _: unit: unit // { enableDefaultPath = false; stopIfChanged = false; };
in
{
  systemd.services = builtins.mapAttrs ofTemplate units.services;
  systemd.sockets = units.sockets;
  systemd.tmpfiles.rules = [ "d /etc/gate 0755 root root - -" ];
}

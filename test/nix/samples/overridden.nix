# A host has the last word on every directive.
{ lib, ... }:
{
  services.gate-daemon.enable = true;
  systemd.services.gate-daemon = {
    serviceConfig = {
      MemoryHigh = lib.mkForce "7G";
      MemoryMax = lib.mkForce "8G";
      Nice = 5;
    };
    after = [ "tailscaled.service" ];
  };
  systemd.sockets.gate-daemon.socketConfig.Backlog = 1024;
}

# The package by its overlay, for everybody on the host.
{ pkgs, ... }:
{
  environment.systemPackages = [
    pkgs.gate-daemon
    pkgs.gate-relay
  ];
  services.gate-daemon = {
    enable = true;
    package = pkgs.gate-daemon;
  };
}

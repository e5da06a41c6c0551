# What the machines of all tests have: Gate by its module, an administrator, and a client.
{ pkgs, ... }:
{
  imports = [ ../modules ];
  services.gate-daemon.enable = true;
  users.users.alice = {
    isNormalUser = true;
    extraGroups = [ "gate-admin" ];
  };
  environment.systemPackages = [
    pkgs.curl
    pkgs.jq
  ];
  virtualisation.memorySize = 2048;
}

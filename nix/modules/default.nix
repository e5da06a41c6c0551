# Gate on NixOS: both services.
{
  imports = [
    ./gate-daemon.nix
    ./gate-relay.nix
  ];
}

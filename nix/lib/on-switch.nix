# A unit of the host that does something when a switch changes what it is told, and nothing at boot. nixos-rebuild leaves
# sockets as they are, and knows no units of podman's generator.
{ lib, pkgs }:
description: triggers: commands: {
  inherit description;
  wantedBy = [ "multi-user.target" ];
  reloadTriggers = [ (builtins.hashString "sha256" (builtins.toJSON triggers)) ];
  stopIfChanged = false;
  serviceConfig = {
    Type = "oneshot";
    RemainAfterExit = "yes";
    ExecStart = "${pkgs.coreutils}/bin/true";
    ExecReload = commands;
  };
}

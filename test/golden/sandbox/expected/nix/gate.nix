# Made by gatectl from the spec; changes here are lost.
# Import it into a NixOS configuration (24.11 or newer) whose nixpkgs has the overlay of Gate's flake.
{ config, lib, pkgs, ... }:
let
  gate = pkgs.gate or (throw "there is no pkgs.gate: add Gate's overlay to nixpkgs.overlays");
in
{
  assertions = [
    {
      assertion = lib.versionAtLeast config.systemd.package.version "257";
      message = "these units are for systemd 257 or newer, this host has ${config.systemd.package.version}: run gatectl compile with --systemd and that version";
    }
  ];
  systemd.tmpfiles.rules = [
    "d /var/lib/gate 0711 gate gate - -"
    "d /var/lib/gate/models 2750 gate gate-models - -"
    "d /etc/gate 0755 root root - -"
    "d /run/gate 0755 root root - -"
    "d /run/gate/backends 0755 root root - -"
    "d /run/gate/secrets 0711 root root - -"
  ];
  users.groups = {
    gate-admin = { };
    gate-models = { };
    gate = { };
  };
  users.users = {
    gate = {
      isSystemUser = true;
      group = "gate";
      extraGroups = [ "gate-admin" ];
      description = "Gate";
      home = "/var/lib/gate";
    };
  };
}

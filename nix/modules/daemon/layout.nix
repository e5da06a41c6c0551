# Where a host on NixOS has what the compiler's files name; schemas/deploy/layout.ts has every key.
{ config, lib, pkgs }:
{ cfg, ... }:
let
  podman = config.virtualisation.podman.package;
  systemd = config.systemd.package;
in
{
  programs = {
    node = "${cfg.package}/lib/gate/node";
    daemon = "${cfg.package}/lib/gate/dist/bin/gate-daemon.js";
    relay = "${cfg.package}/lib/gate/dist/bin/gate-relay.js";
    agent = "${cfg.package}/bin/gate-agent";
    gatectl = "${cfg.package}/bin/gatectl";
    podman = "${podman}/bin/podman";
    socket_proxy = "${systemd}/lib/systemd/systemd-socket-proxyd";
    nsenter = "${pkgs.util-linux}/bin/nsenter";
    systemctl = "${systemd}/bin/systemctl";
    dnsmasq = "${pkgs.dnsmasq}/bin/dnsmasq";
    mount = "${pkgs.util-linux}/bin/mount";
    umount = "${pkgs.util-linux}/bin/umount";
    systemd_tmpfiles = "${systemd}/bin/systemd-tmpfiles";
    shell = "${pkgs.bash}/bin/sh";
    nft = "${pkgs.nftables}/bin/nft";
    kill = "${pkgs.coreutils}/bin/kill";
  };
  # users.users.<name>.linger
  directories.linger = null;
  groups = { nginx = config.services.nginx.group; caddy = config.services.caddy.group; };
  # security.acme
  certificates = { directory = "/var/lib/acme"; key = "key.pem"; };
  images = {
    fetch = "${pkgs.writeShellScript "gate-image" (builtins.readFile ./fetch-image.sh)}";
    # newuidmap and newgidmap, which only the host can hand out
    search_path = [ "/run/wrappers/bin" "/run/current-system/sw/bin" ];
  };
}

# What gatectl makes of one gateway's options: a derivation, so that a spec that the compiler refuses never builds.
{ config, lib, pkgs }:
{ cfg, names, prefix, backends, ... }@gateway:
let
  specs = import ./spec.nix { inherit lib; };
  layout = import ./layout.nix { inherit config lib pkgs; };
  gatectl = lib.getExe' cfg.package "gatectl";
  podman = config.virtualisation.podman.package;
  systemd = config.systemd.package;
  # newer ones read what older ones did
  podmanVersion = if lib.versionOlder "5.8" (lib.versions.majorMinor podman.version) then "5.8" else lib.versions.majorMinor podman.version;

  targets = [ "declared" "nftables" "systemd" ]
    ++ lib.optional (backends != [ ]) "quadlet"
    ++ lib.optional (cfg.proxy.engine != "none") cfg.proxy.engine
    ++ lib.optional (cfg.dns.engine != "none") cfg.dns.engine
    ++ lib.optional cfg.client.enable "client";
in
pkgs.runCommand "${prefix}-files"
{
  spec = builtins.toJSON (specs.spec gateway);
  lock = builtins.toJSON (specs.lock gateway);
  settings = builtins.toJSON (specs.settings gateway);
  layout = builtins.toJSON (layout gateway);
  passAsFile = [ "spec" "lock" "settings" "layout" ];
} (''
  set -eu
  cp "$specPath" gate.json
  cp "$lockPath" gate.lock.json
  ${gatectl} compile gate.json --out "$out" --target ${lib.concatStringsSep "," targets} \
    --layout "$layoutPath" --settings "$settingsPath" \
    --podman ${podmanVersion} --systemd ${lib.versions.major systemd.version}
  ${gatectl} config validate "$out/declared/declared.json"

  # units that the module does not make itself, and directories
  mkdir -p "$out/lib/systemd/system" "$out/lib/tmpfiles.d"
  for unit in "$out"/systemd/system/*-secrets.service "$out"/systemd/system/${names.caUnit} "$out"/systemd/system/${names.caRenewUnit}.* "$out"/systemd/system/*-directory.service "$out"/systemd/system/user@* \
    "$out"/systemd/system/*-daemon.service.d "$out"/nftables/*-daemon.service.d; do
    if [ -e "$unit" ]; then cp -r "$unit" "$out/lib/systemd/system/"; fi
  done
  # what may reach the gateway is networking.firewall's, which the module sets
  if [ -e "$out/nftables/${names.egressUnit}" ]; then mv "$out/nftables/${names.egressUnit}" "$out/lib/systemd/system/"; fi
  if [ -e "$out/dnsmasq/${names.dnsUnit}" ]; then mv "$out/dnsmasq/${names.dnsUnit}" "$out/lib/systemd/system/"; fi
  cp "$out/systemd/tmpfiles.d/${prefix}.conf" "$out/lib/tmpfiles.d/"
  if [ -e "$out/systemd/ca.json" ]; then mv "$out/systemd/ca.json" "$out/ca.json"; fi
  rm -r "$out/systemd"
'' + lib.optionalString (backends != [ ]) ''

  # podman's own generator reads every quadlet
  generator=${podman}/lib/systemd/user-generators/podman-user-generator
  if [ -x "$generator" ]; then
    for directory in "$out"/quadlet/users/*; do
      QUADLET_UNIT_DIRS="$directory" XDG_RUNTIME_DIR="$PWD" "$generator" -user -dryrun > /dev/null
    done
  fi
'')

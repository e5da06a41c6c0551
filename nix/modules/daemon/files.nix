# What gatectl makes of one gateway's options: a derivation, so that a spec that the compiler refuses never builds.
{ config, lib, pkgs }:
{ cfg, names, prefix, backends, ... }@gateway:
let
  specs = import ./spec.nix { inherit lib; };
  images = import ./images.nix { inherit config lib pkgs; };
  gatectl = lib.getExe' cfg.package "gatectl";
  podman = config.virtualisation.podman.package;
  systemd = config.systemd.package;
  # newer ones read what older ones did
  podmanVersion = if lib.versionOlder "5.8" (lib.versions.majorMinor podman.version) then "5.8" else lib.versions.majorMinor podman.version;

  targets = [ "declared" "systemd" ]
    ++ lib.optional (backends != [ ]) "quadlet"
    ++ lib.optional (cfg.proxy.engine != "none") cfg.proxy.engine
    ++ lib.optional (cfg.dns.engine != "none") cfg.dns.engine
    ++ lib.optional cfg.client.enable "client";
in
pkgs.runCommand "${prefix}-files"
{
  nativeBuildInputs = [ pkgs.jq ];
  spec = builtins.toJSON (specs.spec gateway);
  lock = builtins.toJSON (specs.lock gateway);
  settings = builtins.toJSON (specs.settings gateway);
  passAsFile = [ "spec" "lock" "settings" ];
} (''
  set -eu
  cp "$specPath" gate.json
  cp "$lockPath" gate.lock.json
  ${gatectl} compile gate.json --out "$out" --target ${lib.concatStringsSep "," targets} \
    --podman ${podmanVersion} --systemd ${lib.versions.major systemd.version}

  # settings of the module lie over what the compiler made of the spec
  jq -s '.[0] * .[1]' "$out/declared/declared.json" "$settingsPath" > declared.json
  ${gatectl} config validate declared.json
  cp declared.json "$out/declared/declared.json"

  # units that the module does not make itself, and directories
  mkdir -p "$out/lib/systemd/system" "$out/lib/tmpfiles.d"
  for unit in "$out"/systemd/system/*-secrets.service "$out"/systemd/system/user@*; do
    if [ -e "$unit" ]; then cp -r "$unit" "$out/lib/systemd/system/"; fi
  done
  grep -v -e '/\.config/systemd/user ' -e '^f /var/lib/systemd/linger/' "$out/systemd/tmpfiles.d/${prefix}.conf" \
    > "$out/lib/tmpfiles.d/${prefix}.conf"
  rm -r "$out/systemd"
'' + lib.optionalString (backends != [ ]) ''

  # programs of a user's units are in the store
  find "$out/quadlet" -type f -exec sed -i \
    -e 's|^\(Exec[A-Z][A-Za-z]*=-\{0,1\}\)/usr/bin/podman |\1${podman}/bin/podman |' \
    -e 's|^\(Exec[A-Z][A-Za-z]*=\)/usr/bin/gate|\1${cfg.package}/bin/gate|' \
    -e 's|^\(Exec[A-Z][A-Za-z]*=\)/usr/lib/systemd/|\1${systemd}/lib/systemd/|' {} +
  if grep -r '^Exec[A-Z][A-Za-z]*=-\{0,1\}/usr/' "$out/quadlet"; then
    echo 'these programs are not on NixOS: please report this' >&2
    exit 1
  fi
  ${lib.concatMapStringsSep "\n  " (images.install gateway) backends}

  # podman's own generator reads every quadlet
  generator=${podman}/lib/systemd/user-generators/podman-user-generator
  if [ -x "$generator" ]; then
    for directory in "$out"/quadlet/users/*; do
      QUADLET_UNIT_DIRS="$directory" XDG_RUNTIME_DIR="$PWD" "$generator" -user -dryrun > /dev/null
    done
  fi
'' + lib.optionalString (cfg.proxy.engine == "nginx" && cfg.tls.acme != null) ''

  # certificates of security.acme instead of certbot's
  sed -i -e 's|/etc/letsencrypt/live/\([^/;]*\)/privkey.pem|/var/lib/acme/\1/key.pem|' \
    -e 's|/etc/letsencrypt/live/|/var/lib/acme/|' "$out/nginx/gate.conf"
'')

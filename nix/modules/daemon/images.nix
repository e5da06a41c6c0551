# Images: a unit of each backend's own user gets one before the container starts, from an archive or by a pull.
{ config, lib, pkgs }:
let
  podman = config.virtualisation.podman.package;
  execWord = import ../../lib/exec-word.nix;
  systemctl = "${config.systemd.package}/bin/systemctl";

  archiveOf = { imageFile, imageArchive ? null, ... }: if imageFile != null then imageFile else imageArchive;

  fetch = pkgs.writeShellScript "gate-image" (builtins.readFile ./fetch-image.sh);

  fetchCommand = backend:
    let archive = archiveOf backend; in
    lib.concatMapStringsSep " " (word: execWord "${word}")
      ([ fetch (lib.getExe podman) backend.image ] ++ lib.optional (archive != null) archive);

  unit = { name, backend, names, ... }: ''
    [Unit]
    Description=Image of Gate backend ${name}
    StartLimitIntervalSec=0

    [Service]
    Type=oneshot
    RemainAfterExit=yes
    ExecStart=${fetchCommand backend}
    Restart=on-failure
    RestartSec=30s
    TimeoutStartSec=infinity
  '';

  # What a switch starts when something of the backend has changed.
  update = { name, backend, names, ... }: ''
    [Unit]
    Description=New image and settings of Gate backend ${name}

    [Service]
    Type=oneshot
    ExecStart=${fetchCommand backend}
    ExecStart=${systemctl} --user try-restart ${names.containerService}
    ${lib.optionalString (backend.idleStop != null) "ExecStart=${systemctl} --user try-restart ${names.proxySocket}"}
    TimeoutStartSec=infinity
  '';

  needed = { names, ... }: ''
    [Unit]
    Requires=${names.unit}-image.service
    After=${names.unit}-image.service

    [Service]
    Environment=PATH=/run/wrappers/bin:/run/current-system/sw/bin
  '';
in
{
  # Commands that put all of them below $out.
  install = _: { backend, names, ... }@one: ''
    units="$out/quadlet/user-units/${toString backend.uid}"
      mkdir -p "$units/${names.unit}.service.d"
      printf %s ${lib.escapeShellArg (unit one)} > "$units/${names.unit}-image.service"
      printf %s ${lib.escapeShellArg (update one)} > "$units/${names.unit}-update.service"
      printf %s ${lib.escapeShellArg (needed one)} > "$units/${names.unit}.service.d/50-image.conf"
  '';
}

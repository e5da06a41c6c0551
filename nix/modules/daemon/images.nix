# Images: a unit of each backend's own user gets one before the container starts, from an archive or by a pull.
{ config, lib, pkgs }:
let
  podman = config.virtualisation.podman.package;

  archiveOf = { imageFile, imageArchive ? null, ... }: if imageFile != null then imageFile else imageArchive;

  fetch = pkgs.writeShellScript "gate-image" (builtins.readFile ./fetch-image.sh);

  unit = { name, backend, names, ... }: ''
    [Unit]
    Description=Image of Gate backend ${name}
    StartLimitIntervalSec=0

    [Service]
    Type=oneshot
    RemainAfterExit=yes
    ExecStart=${fetch} ${lib.getExe podman} ${backend.image}${lib.optionalString (archiveOf backend != null) " ${archiveOf backend}"}
    Restart=on-failure
    RestartSec=30s
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
  # Commands that put both below $out.
  install = _: { backend, names, ... }@one: ''
    units="$out/quadlet/user-units/${toString backend.uid}"
      mkdir -p "$units/${names.unit}.service.d"
      printf %s ${lib.escapeShellArg (unit one)} > "$units/${names.unit}-image.service"
      printf %s ${lib.escapeShellArg (needed one)} > "$units/${names.unit}.service.d/50-image.conf"
  '';
}

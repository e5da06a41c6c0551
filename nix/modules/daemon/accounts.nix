# Accounts of one gateway and of its backends.
{ config, lib, pkgs }:
{ cfg, names, backends, ... }:
let
  ids = import ./ids.nix;
  account = { name, backend, names, ... }: gateway: {
    isSystemUser = true;
    inherit (backend) uid;
    group = names.user;
    extraGroups = lib.optional (backend.model != null || backend.files != { } || backend.router != null) gateway.modelsGroup
      # who may open /dev/kfd and render nodes; video, which also opens cameras and screens, only for what names one
      ++ lib.optionals (lib.elem backend.gpu.kind [ "amd" "vulkan" ]) (
        [ "render" ] ++ lib.optional (lib.any (lib.hasPrefix "card") backend.gpu.devices) "video"
      );
    description = "Gate backend ${name}";
    inherit (names) home;
    linger = true;
    subUidRanges = [ { startUid = backend.subIdStart; count = ids.count; } ];
    subGidRanges = [ { startGid = backend.subIdStart; count = ids.count; } ];
  };
  each = make: lib.listToAttrs (map (one: lib.nameValuePair one.names.user (make one)) backends);
in
[
  {
    users.users = each (one: account one names) // {
      ${names.user} = {
        isSystemUser = true;
        group = names.user;
        home = names.stateDirectory;
        description = "Gate";
      };
    };
    users.groups = each (one: { gid = one.backend.uid; }) // {
      ${names.user} = { };
      ${names.adminGroup} = { };
      ${names.modelsGroup} = { };
    };
  }
]

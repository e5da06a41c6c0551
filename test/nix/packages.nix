# The packages of nixpkgs that the modules name, and the functions that make files: instead of building, each keeps what
# it would be built from, so that a test can do it.
{ lib }:
let
  package = name: version: { _type = "package"; outPath = "/nix/store/${name}"; inherit name version; };
  hashed = name: text: "/nix/store/${builtins.substring 0 32 (builtins.hashString "sha256" text)}-${name}";
  # texts that a script names by their places in the store
  made = name: text: { _type = "package"; inherit name text; version = "0"; outPath = hashed name text; };
in
lib.genAttrs [ "bash" "coreutils" "dnsmasq" "jq" "nftables" "util-linux" ] (name: package name "1.0")
// lib.genAttrs [ "gate" "gate-daemon" "gate-relay" ] (_: package "gate" "0.1.0")
// {
  systemd = package "systemd" "257.5";
  # with the generators that it brings
  podman = package "podman" "5.8.0" // {
    generators = [ "podman-system-generator" ];
    userGenerators = [ "podman-user-generator" ];
  };
  # the modules call for nothing but nix/package.nix
  callPackage = _path: _arguments: package "gate" "0.1.0";
  writeText = made;
  writeShellScript = name: text: made name "#!/bin/sh\n${text}";
  runCommand = name: environment: script: {
    _type = "package";
    inherit name script environment;
    version = "0";
    outPath = hashed name (script + builtins.toJSON (removeAttrs environment [ "nativeBuildInputs" ]));
  };
  formats.json = _: { type = lib.types.json; };
}

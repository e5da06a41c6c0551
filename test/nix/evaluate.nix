# What a host would be with each of the modules, as one value that becomes JSON.
#   nix-instantiate --eval --strict --json evaluate.nix --arg hosts '{ name = [ ./module.nix ]; }'
{ hosts }:
let
  inherit (import ./evaluator.nix) lib evalModules;
  package = name: version: { _type = "package"; outPath = "/nix/store/${name}"; inherit name version; };
  pkgs = { bash = package "bash" "5.2"; coreutils = package "coreutils" "9.5"; dnsmasq = package "dnsmasq" "2.90"; gate = package "gate" "0.1.0"; };
  host = {
    systemd.package = lib.mkDefault (package "systemd" "257.5");
    virtualisation.podman.package = lib.mkDefault (package "podman" "5.8.0");
  };
  facts = modules:
    let config = evalModules { modules = [ ./nixos.nix host ] ++ modules; arguments = { inherit pkgs; }; };
    in config // {
      failed = map (a: a.message) (lib.filter (a: !a.assertion) config.assertions);
      assertions = map (a: a.message) config.assertions;
      systemd = removeAttrs config.systemd [ "package" ];
      virtualisation.podman.enable = config.virtualisation.podman.enable;
    };
in
builtins.mapAttrs (_: facts) hosts

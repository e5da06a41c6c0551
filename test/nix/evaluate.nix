# What a host would be with each of the modules, as one value that becomes JSON.
#   nix-instantiate --eval --strict --json evaluate.nix --arg hosts '{ name = [ ./module.nix ]; }'
# Of hosts in `wrong`, only what is wrong with them: the rest of them has no meaning.
{ hosts, wrong ? { } }:
let
  inherit (import ./evaluator.nix) lib evalModules;
  pkgs = import ./packages.nix { inherit lib; };
  host = {
    systemd.package = lib.mkDefault pkgs.systemd;
    virtualisation.podman.package = lib.mkDefault pkgs.podman;
  };
  evaluate = modules: evalModules { modules = [ ./nixos.nix host ] ++ modules; arguments = { inherit pkgs; }; };
  # NixOS links what packages bring, then what options name, each with `ln -s` under `set -e`
  linkedTwice = config:
    let
      packages = config.systemd.packages ++ (if config.virtualisation.podman.enable then [ config.virtualisation.podman.package ] else [ ]);
      twice = path: kind: options:
        map (name: "${path}.${name}: systemd.packages links it already")
          (lib.filter (name: lib.any (package: lib.elem name (package.${kind} or [ ])) packages) (builtins.attrNames options));
    in
    twice "systemd.generators" "generators" config.systemd.generators
    ++ twice "systemd.user.generators" "userGenerators" config.systemd.user.generators;
  failed = config: map (a: a.message) (lib.filter (a: !a.assertion) config.assertions) ++ linkedTwice config;
  # the derivations that a host's files come from, once each
  builds = config: map (package: { path = package.outPath; inherit (package) script; environment = removeAttrs package.environment [ "nativeBuildInputs" ]; })
    (lib.filter (package: package ? script) config.systemd.packages);
  facts = modules:
    let config = evaluate modules; in
    removeAttrs config [ "hardware" ] // {
      failed = failed config;
      assertions = map (a: a.message) config.assertions;
      builds = builds config;
      hardware = { inherit (config.hardware) nvidia-container-toolkit graphics; };
      environment.etc = builtins.mapAttrs (_: file: { inherit (file) source; } // (if file.text == null then { } else { inherit (file) text; })) config.environment.etc;
      services = { inherit (config.services) caddy dnsmasq nginx; };
      systemd = removeAttrs config.systemd [ "package" "packages" ];
      virtualisation.podman.enable = config.virtualisation.podman.enable;
    };
in
{
  hosts = builtins.mapAttrs (_: facts) hosts;
  wrong = builtins.mapAttrs (_: modules: let config = evaluate modules; in { failed = failed config; inherit (config) warnings; }) wrong;
}

# As much of nixpkgs as flake.nix and the files it imports name, for tests where nixpkgs is not to be had: functions of
# lib, and packages that are only a name. What is not listed here is a typo until somebody looks it up in nixpkgs.
let
  inherit (builtins)
    attrNames attrValues concatMap concatStringsSep elem elemAt filter foldl' functionArgs genList hasAttr isFunction isList isPath
    isString length listToAttrs mapAttrs match pathExists readFile replaceStrings split stringLength substring;
  inherit (import ./evaluator.nix) evalModules;

  lib = (import ./evaluator.nix).lib // {
    inherit attrNames attrValues elem mapAttrs readFile;
    importJSON = path: builtins.fromJSON (readFile path);
    filterAttrs = keep: set: removeAttrs set (filter (name: !(keep name set.${name})) (attrNames set));
    genAttrs = names: make: listToAttrs (map (name: { inherit name; value = make name; }) names);
    mapAttrsToList = make: set: map (name: make name set.${name}) (attrNames set);
    hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
    last = list: elemAt list (length list - 1);
    # the separators here have no meaning in a pattern
    splitString = separator: text: filter isString (split separator text);
    concatLines = lines: concatStringsSep "" (map (line: line + "\n") lines);
    optionalString = condition: text: if condition then text else "";
    fetchers.proxyImpureEnvVars = [ "https_proxy" ];
    escapeShellArgs = words: concatStringsSep " " (map (word: "'${replaceStrings [ "'" ] [ "'\\''" ] word}'") words);
    getExe = package: lib.getExe' package package.meta.mainProgram;
    getExe' = package: program: "${package}/bin/${program}";
    licenses.mit = { spdxId = "MIT"; };
    fileset = {
      unions = paths: paths;
      toSource = { root, fileset }:
        let missing = filter (path: !(pathExists path)) fileset; in
        if missing != [ ] then throw "no such path: ${toString missing}" else toString root;
    };
    nixosSystem = { system ? null, modules }:
      host ((import ./stub-nixpkgs.nix).legacyPackages.${if system != null then system else "x86_64-linux"}) modules;
  };

  # the attributes of a derivation that others look at; `overrideAttrs` as far as replacing goes
  derivation = attrs: attrs // attrs.passthru or { } // rec {
    type = "derivation";
    _type = "package";
    name = attrs.name or "${attrs.pname}-${attrs.version}";
    version = attrs.version or "1";
    outPath = "/nix/store/${attrs.pname or name}";
    drvPath = "${outPath}.drv";
    meta = attrs.meta or { mainProgram = name; };
    overrideAttrs = changes: derivation (attrs // (if isFunction changes then changes attrs else changes));
  };

  # What a host would be: the modules, the stubs of NixOS, and what our machines set besides.
  host = nixpkgs: modules:
    let
      evaluate = pkgs: evalModules {
        modules = [ ./nixos.nix ./stub-host.nix { systemd.package = pkgs.systemd; virtualisation.podman.package = lib.mkDefault pkgs.podman; } ] ++ modules;
        arguments = { inherit pkgs; };
      };
      # the first look tells the overlays
      pkgs = foldl' (set: overlay: set.extend overlay) nixpkgs (evaluate nixpkgs).nixpkgs.overlays;
    in
    { config = evaluate pkgs // { system.build = { toplevel = derivation { name = "nixos-system"; }; vm = derivation { name = "vm"; }; }; }; };

  # Packages of nixpkgs that Gate's files name.
  names = [
    "bash" "caddy" "coreutils" "curl" "dnsmasq" "git" "jq" "nftables" "nginx" "nixfmt-tree" "podman" "python3" "python3Minimal" "util-linux"
    "shellcheck" "sqlite" "installShellFiles" "makeWrapper" "cacert"
  ];

  packageSet = system: overlays:
    let
      base = final: removeAttrs (import ./packages.nix { inherit lib; }) [ "gate-daemon" "gate-relay" ] // lib.genAttrs names (name: derivation { inherit name; }) // {
        inherit lib system;
        # a proxy for a game
        gate = derivation { name = "another-gate"; };
        systemd = derivation { name = "systemd"; version = "257.5"; };
        podman = derivation { name = "podman"; version = "5.8.0"; };
        nodejs_24 = derivation { pname = "nodejs"; version = "24.14.0"; meta.mainProgram = "node"; };
        stdenv = rec { buildPlatform = { inherit system; canExecute = _: true; }; hostPlatform = buildPlatform; };
        callPackage = path: arguments:
          let
            make = if isFunction path then path else import path;
            wanted = functionArgs make;
            missing = filter (name: !wanted.${name} && !(hasAttr name final) && !(hasAttr name arguments)) (attrNames wanted);
          in
          if missing != [ ] then throw "nixpkgs has no ${toString missing}"
          else make (builtins.intersectAttrs wanted final // arguments);
        extend = overlay: packageSet system (overlays ++ [ overlay ]);
        mkShell = { packages }: derivation { name = "nix-shell"; inherit packages; };
        writeText = name: text: derivation { inherit name text; };
        dockerTools = {
          binSh = derivation { name = "bin-sh"; };
          buildLayeredImage = { name, tag, contents, config }: derivation { inherit name tag contents config; };
        };
        buildNpmPackage = attrs: derivation ({ inherit system; } // attrs);
        importNpmLock = {
          npmConfigHook = derivation { name = "npm-config-hook"; };
          __functor = _: { package, packageLock, packageSourceOverrides }: derivation { name = "${package.name}-sources"; inherit package packageSourceOverrides; packageLock = checkedLock package packageLock packageSourceOverrides; };
        };
        testers.runNixOSTest = path:
          let
            test = (if isFunction path then path else import path) { inherit lib; pkgs = final; };
            machine = modules:
              let inherit (host final modules) config; in
              config // { specialisation = mapAttrs (_: { configuration }: machine (modules ++ [ configuration { specialisation = lib.mkForce { }; } ])) config.specialisation; };
            nodes = mapAttrs (_: node: machine [ node ]) test.nodes;
          in
          derivation {
            name = "vm-test-run-${test.name}";
            inherit nodes;
            testScript = if isFunction test.testScript then test.testScript { inherit nodes; } else test.testScript;
          };
      };
      final = foldl' (set: overlay: set // overlay final set) (base final) overlays;
    in
    final;

  # What npm, which has no network in a build, needs of a lock: an archive of every package, with its hash, and every
  # dependency of a package that is in the lock, where Node would look for it.
  checkedLock = package: lock: archives:
    let
      paths = filter (path: path != "") (attrNames lock.packages);
      found = from: name: elem "${from}node_modules/${name}" paths
        || (from != "" && found (let up = match "(.*)node_modules/.*" from; in if up == null then "" else elemAt up 0) name);
      needs = entry: attrNames (entry.dependencies or { })
        ++ filter (name: !(entry.peerDependenciesMeta.${name}.optional or false)) (attrNames (entry.peerDependencies or { }));
      lost = concatMap (path: map (name: "${path} needs ${name}") (filter (name: !(found "${path}/" name)) (needs lock.packages.${path}))) paths
        ++ map (name: "package.json needs ${name}")
          (filter (name: !(elem "node_modules/${name}" paths)) (attrNames (package.dependencies // package.optionalDependencies or { } // package.devDependencies)));
      unfit = filter (path: let archive = archives.${path} or { environment = { }; }; in
        match "[^/ ]+[.]tgz" (archive.name or "") == null || match "sha(1|512)-[A-Za-z0-9+/]+=*" (archive.environment.outputHash or "") == null) paths;
    in
    if lost != [ ] then throw "the lock is incomplete: ${concatStringsSep ", " lost}"
    else if unfit != [ ] then throw "no archive or hash: ${toString unfit}"
    else lock;
in
{
  inherit lib;
  legacyPackages = lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (system: packageSet system [ ]);
}

# What nixpkgs' importNpmLock needs to build Gate, made of the committed package.json and package-lock.json.
# The lock holds a hash of every archive but no address, so npm fetches them. It also lacks the optional packages of
# other platforms, which only development tools have; so of those tools, only what compiles the sources stays.
{
  lib,
  cacert,
  nodejs_24,
  runCommand,
}:
let
  package = lib.importJSON ../package.json;
  lock = lib.importJSON ../package-lock.json;

  isBuildTool = name: name == "typescript" || lib.hasPrefix "@types/" name;
  devDependencies = lib.filterAttrs (name: _: isBuildTool name) package.devDependencies;
  # with what they need themselves
  buildTools = map (tool: "node_modules/${tool.key}") (
    builtins.genericClosure {
      startSet = map (key: { inherit key; }) (lib.attrNames devDependencies);
      operator =
        { key }:
        map (key: { inherit key; }) (
          lib.attrNames (lock.packages."node_modules/${key}".dependencies or { })
        );
    }
  );

  isProduction = path: entry: path != "" && !(entry.dev or false);
  kept = lib.filterAttrs (
    path: entry: isProduction path entry || lib.elem path buildTools
  ) lock.packages;

  # npm knows where its archives are; Nix sees that each is the one of the lock.
  archive =
    path: entry:
    let
      name = entry.name or (lib.last (lib.splitString "node_modules/" path));
    in
    runCommand "${lib.last (lib.splitString "/" name)}-${entry.version}.tgz"
      {
        nativeBuildInputs = [ nodejs_24 ];
        SSL_CERT_FILE = "${cacert}/etc/ssl/certs/ca-bundle.crt";
        impureEnvVars = lib.fetchers.proxyImpureEnvVars ++ [ "npm_config_registry" ];
        outputHash = entry.integrity;
        outputHashMode = "flat";
        preferLocalBuild = true;
      }
      ''
        export HOME=$TMPDIR
        npm pack --ignore-scripts ${lib.escapeShellArg "${name}@${entry.version}"}
        mv ./*.tgz $out
      '';
in
{
  package = package // {
    inherit devDependencies;
  };

  packageLock = lock // {
    packages = kept // {
      "" = lock.packages."" // {
        inherit devDependencies;
      };
    };
  };

  # By folder, as importNpmLock takes them.
  packageSourceOverrides = lib.mapAttrs archive kept;

  # Folders that an installation needs, as scripts/stage.ts picks them.
  productionPaths = lib.attrNames (lib.filterAttrs isProduction lock.packages);
}

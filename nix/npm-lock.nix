# What nixpkgs' importNpmLock needs to build Gate, made of the committed package.json and package-lock.json.
# The lock holds a hash of every archive but no address: that follows from name and version. It also lacks the optional
# packages of other platforms, which only development tools have; so of those tools, only what compiles the sources stays.
{ lib }:
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

  archive =
    path: entry:
    let
      name = entry.name or (lib.last (lib.splitString "node_modules/" path));
      file = lib.last (lib.splitString "/" name);
    in
    "https://registry.npmjs.org/${name}/-/${file}-${entry.version}.tgz";
in
{
  package = package // {
    inherit devDependencies;
  };

  packageLock = lock // {
    packages = lib.mapAttrs (path: entry: entry // { resolved = archive path entry; }) kept // {
      "" = lock.packages."" // {
        inherit devDependencies;
      };
    };
  };

  # Folders that an installation needs, as scripts/stage.ts picks them.
  productionPaths = lib.attrNames (lib.filterAttrs isProduction lock.packages);
}

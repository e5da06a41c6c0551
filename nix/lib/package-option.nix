# Which Gate runs. Not pkgs.gate by default: nixpkgs has another program of that name, and the modules need no overlay.
{ lib, pkgs }:
lib.mkOption {
  type = lib.types.package;
  default = pkgs.callPackage ../package.nix { };
  defaultText = lib.literalExpression "gate.packages.\${system}.gate";
  description = "The package that has Gate's programs.";
}

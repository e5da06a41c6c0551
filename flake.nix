{
  description = "Gate, a private AI gateway for people who run their own machines";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      # one attribute per system, made of its packages with ours among them
      perSystem =
        make: lib.genAttrs systems (system: make (nixpkgs.legacyPackages.${system}.extend self.overlays.default));
    in
    {
      nixosModules = {
        default = ./nix/modules;
        gate-daemon = ./nix/modules/gate-daemon.nix;
        gate-relay = ./nix/modules/gate-relay.nix;
      };

      overlays.default = import ./nix/overlay.nix;

      packages = perSystem (pkgs: {
        default = pkgs.gate;
        inherit (pkgs) gate;
      });

      apps = perSystem (
        pkgs:
        let
          app = program: {
            type = "app";
            program = lib.getExe' pkgs.gate program;
            meta = { inherit (pkgs.gate.meta) description; };
          };
        in
        {
          default = app "gate-daemon";
          gate-daemon = app "gate-daemon";
          gatectl = app "gatectl";
        }
      );

      devShells = perSystem (pkgs: {
        default = import ./nix/shell.nix { inherit pkgs; };
      });

      checks = perSystem (
        pkgs: import ./nix/checks.nix { inherit lib pkgs; } // { package = pkgs.gate; } // pkgs.gate.tests
      );

      formatter = perSystem (pkgs: pkgs.nixfmt-tree);

      nixosConfigurations.test-vm = lib.nixosSystem {
        system = "x86_64-linux";
        modules = [
          self.nixosModules.default
          ./nix/test-vm.nix
        ];
      };
    };
}

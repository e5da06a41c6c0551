#!/bin/sh
# For a machine with Nix and nixpkgs, any CI: evaluates the modules with the real module system, builds the package and
# runs the machines of nix/tests. NEVER RUN so far: where Gate is developed there is no nixpkgs.
set -eu
cd "$(dirname "$0")/../.."
features='nix-command flakes'

# the newest nixpkgs, then the oldest release that docs/nixos.md promises
nix --extra-experimental-features "$features" flake check --print-build-logs
nix --extra-experimental-features "$features" flake check --print-build-logs --no-write-lock-file \
  --override-input nixpkgs github:NixOS/nixpkgs/nixos-25.05

# pkgs.gate, under the names of its services too: the daemon and the relay are programs of one package.
# nixpkgs has another pkgs.gate, a proxy for a game; with this overlay the name means this one.
final: _prev: {
  gate = final.callPackage ./package.nix { };
  gate-daemon = final.gate;
  gate-relay = final.gate;
}

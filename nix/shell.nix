# What `npm start` and `npm test` need; Node itself and all packages are pinned by package-lock.json.
{ pkgs }:
pkgs.mkShell {
  packages = [
    pkgs.nodejs_24
    # readers that the tests show the compiler's files to
    pkgs.caddy
    pkgs.dnsmasq
    pkgs.nftables
    pkgs.nginx
    pkgs.python3
    pkgs.shellcheck
    pkgs.sqlite
  ];
}

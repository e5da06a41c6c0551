# The ports of one gateway that clients need, opened where it is asked for; and what its daemon may connect to.
{ config, lib, pkgs }:
{ cfg, names, ... }:
let
  proxied = cfg.proxy.engine != "none";
  tls = import ../../lib/tls.nix { inherit lib; };
  hasDns = cfg.dns.engine != "none";
  open = {
    # behind a proxy, clients ask the proxy
    allowedTCPPorts = [ (if proxied then cfg.proxy.httpPort else cfg.port) cfg.p2pPort ]
      ++ lib.attrValues (tls.ports cfg)
      ++ lib.optional (proxied && tls.has cfg) cfg.proxy.httpsPort
      ++ lib.optional (proxied && cfg.client.enable) cfg.client.port
      ++ lib.optional hasDns cfg.dns.port;
    allowedUDPPorts = lib.optional hasDns cfg.dns.port;
  };
in
[
  {
    networking.firewall =
      if cfg.openFirewall then open
      else { interfaces = lib.genAttrs cfg.openFirewallOnInterfaces (_: open); };
  }
]
++ lib.optional (!lib.elem "any" cfg.network.allow) {
  # a table beside those of networking.firewall, be that iptables or nftables; a drop-in of the daemon requires its unit
  environment.etc.${lib.removePrefix "/etc/" names.egressRules}.source = "${cfg.files}/nftables/egress.nft";
  systemd.services.${lib.removeSuffix ".service" names.egressUnit} = {
    wantedBy = [ "multi-user.target" ];
    reloadTriggers = [ "${cfg.files}/nftables/egress.nft" ];
    path = lib.mkForce [ ];
  };
}

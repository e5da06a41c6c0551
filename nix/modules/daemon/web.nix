# The proxy and the name server of one gateway: files of the compiler, read by the services of NixOS.
{ config, lib, pkgs }:
{ cfg, names, prefix, ... }:
let
  inherit (cfg) files;
  nginx = cfg.proxy.engine == "nginx";
  # its first name is what the certificate is called
  certificate = lib.head cfg.tls.acme.domains;
  dnsUnit = lib.removeSuffix ".service" names.dnsUnit;
  # since 25.11, this unit makes what nginx can start with, and another one orders the certificate
  splitsOrders = !(lib.versionOlder lib.trivial.release "25.11");
in
lib.optional nginx {
  services.nginx = {
    enable = true;
    # a store path, so that another file reloads nginx
    appendHttpConfig = "include ${files}/nginx/gate.conf;";
  };
}
++ lib.optional (nginx && cfg.tls.acme != null) {
  security.acme = {
    certs.${certificate} = {
      inherit (cfg.tls.acme) email;
      extraDomainNames = lib.tail cfg.tls.acme.domains;
      webroot = names.challengeDirectory;
      inherit (config.services.nginx) group;
      reloadServices = [ "nginx.service" ];
    } // lib.optionalAttrs cfg.tls.acme.staging { server = "https://acme-staging-v02.api.letsencrypt.org/directory"; };
  };
  systemd.services.nginx = {
    wants = [ "acme-${certificate}.service" ];
    after = [ "acme-${lib.optionalString (!splitsOrders) "selfsigned-"}${certificate}.service" ];
    # which needs nginx to answer
    before = lib.optional splitsOrders "acme-order-renew-${certificate}.service";
  };
}
++ lib.optional (cfg.proxy.engine == "caddy") {
  services.caddy = {
    enable = true;
    configFile = "${files}/caddy/Caddyfile";
  };
  # of its API, which asks for no password
  systemd.services.caddy.serviceConfig = { RuntimeDirectory = "caddy"; RuntimeDirectoryMode = "0700"; };
}
++ lib.optional (cfg.tls.internalCa && cfg.tls.acme == null && cfg.tls.files == null) {
  environment.etc.${lib.removePrefix "/etc/" names.caRequest}.source = "${files}/ca.json";
  systemd.services = {
    ${lib.removeSuffix ".service" names.caUnit} = {
      wantedBy = [ "multi-user.target" ];
      restartTriggers = [ "${files}/ca.json" ];
      path = lib.mkForce [ pkgs.util-linux ];
    };
    # flock, which keeps two of them apart
    ${names.caRenewUnit}.path = lib.mkForce [ pkgs.util-linux config.systemd.package ];
  } // lib.optionalAttrs (cfg.proxy.engine != "none") {
    ${cfg.proxy.engine} = { requires = [ names.caUnit ]; after = [ names.caUnit ]; };
  };
  systemd.timers.${names.caRenewUnit}.wantedBy = [ "timers.target" ];
}
++ lib.optional (cfg.dns.engine == "dnsmasq") {
  # one of our own, from the compiler's unit, so that services.dnsmasq stays what the host makes of it
  environment.etc.${lib.removePrefix "/etc/" names.dnsConfig}.source = "${files}/dnsmasq/dnsmasq.conf";
  systemd.services.${dnsUnit} = {
    wantedBy = [ "multi-user.target" ];
    restartTriggers = [ "${files}/dnsmasq/dnsmasq.conf" ];
    path = lib.mkForce [ ];
  };
}
++ lib.optional cfg.client.enable {
  environment.etc."${prefix}/client".source = "${files}/client";
}

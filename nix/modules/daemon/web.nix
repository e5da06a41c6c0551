# The proxy and the name server of one gateway: files of the compiler, read by the services of NixOS.
{ config, lib, pkgs }:
{ cfg, names, prefix, ... }:
let
  inherit (cfg) files;
  nginx = cfg.proxy.engine == "nginx";
  # its first name is what the certificate is called
  certificate = lib.head cfg.tls.acme.domains;
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
    after = [ "acme-selfsigned-${certificate}.service" ];
  };
}
++ lib.optional (cfg.proxy.engine == "caddy") {
  services.caddy = {
    enable = true;
    configFile = "${files}/caddy/Caddyfile";
  };
}
++ lib.optional (cfg.dns.engine == "dnsmasq") {
  services.dnsmasq = {
    enable = true;
    # the host's own lookups stay as they are
    resolveLocalQueries = lib.mkDefault false;
    settings.conf-file = [ "${files}/dnsmasq/dnsmasq.conf" ];
  };
}
++ lib.optional cfg.client.enable {
  environment.etc."${prefix}/client".source = "${files}/client";
}

# Made by "npm run generate"; changes here are lost.
# Names and paths on a host.
{
  gateway = prefix: {
    prefix = "${prefix}";
    user = "${prefix}";
    daemonUnit = "${prefix}-daemon";
    relayUnit = "${prefix}-relay";
    secretsUnit = "${prefix}-secrets.service";
    adminGroup = "${prefix}-admin";
    modelsGroup = "${prefix}-models";
    stateDirectory = "/var/lib/${prefix}";
    modelsDirectory = "/var/lib/${prefix}/models";
    runtimeDirectory = "/run/${prefix}";
    adminSocket = "/run/${prefix}/admin.sock";
    proxySocket = "/run/${prefix}/proxy.sock";
    backendsDirectory = "/run/${prefix}/backends";
    shellsDirectory = "/run/${prefix}/shells";
    secretsDirectory = "/run/${prefix}/secrets";
    clientDirectory = "/etc/${prefix}/client";
    challengeDirectory = "/var/lib/${prefix}-acme";
    dnsConfig = "/etc/${prefix}/dnsmasq.conf";
    dnsUnit = "${prefix}-dns.service";
    firewallRules = "/etc/${prefix}/firewall.nft";
    firewallUnit = "${prefix}-firewall.service";
    egressRules = "/etc/${prefix}/egress.nft";
    egressUnit = "${prefix}-egress.service";
    nginxConfig = "/etc/nginx/conf.d/${prefix}.conf";
    caUnit = "${prefix}-ca.service";
    caRenewUnit = "${prefix}-ca-renew";
    caRequest = "/etc/${prefix}/ca.json";
    caDirectory = "/var/lib/${prefix}-deploy/ca";
    certificatesDirectory = "/var/lib/${prefix}-ca";
    tlsDirectory = "/var/lib/${prefix}/tls";
    issuerDirectory = "/var/lib/${prefix}/tls/ca";
    generatedDirectory = "/var/lib/${prefix}-deploy/secrets";
    configDirectory = "/etc/${prefix}";
    declaredConfig = "/etc/${prefix}/declared.json";
    environmentFile = "/etc/${prefix}/gate.env";
  };
  backend = prefix: backend: {
    user = "${prefix}-${backend}";
    unit = "${prefix}-${backend}";
    containerService = "${prefix}-${backend}.service";
    proxyService = "${prefix}-${backend}-proxy.service";
    proxySocket = "${prefix}-${backend}.socket";
    home = "/var/lib/${prefix}-backends/${backend}";
    directory = "/run/${prefix}/backends/${backend}";
    directoryUnit = "${prefix}-${backend}-directory.service";
    containerDirectory = "/run/${prefix}/backends/${backend}/container";
    engineSocket = "/run/${prefix}/backends/${backend}/engine.sock";
    innerSocket = "/run/${prefix}/backends/${backend}/container/engine.sock";
    agentSocket = "/run/${prefix}/backends/${backend}/agent.sock";
    shellDirectory = "/run/${prefix}/shells/${backend}";
    shellSocket = "/run/${prefix}/shells/${backend}/shell.sock";
    secretsDirectory = "/run/${prefix}/secrets/${backend}";
    environmentFile = "/run/${prefix}/secrets/${backend}/environment";
    secretsUnit = "${prefix}-${backend}-secrets.service";
    pidFile = "${prefix}-${backend}.pid";
    configDirectory = "/etc/${prefix}/backends/${backend}";
  };
}

# Made by gatectl from the spec; changes here are lost.
# Import it into a NixOS configuration (24.11 or newer) whose nixpkgs has the overlay of Gate's flake.
{ config, lib, pkgs, ... }:
let
  gate = pkgs.gate or (throw "there is no pkgs.gate: add Gate's overlay to nixpkgs.overlays");
in
{
  assertions = [
    {
      assertion = lib.versionAtLeast config.systemd.package.version "257";
      message = "these units are for systemd 257 or newer, this host has ${config.systemd.package.version}: run gatectl compile with --systemd and that version";
    }
  ];
  environment.etc = {
    "gate/declared.json".text = lib.concatLines [
      "{"
      "  \"server\": {"
      "    \"host\": \"192.0.2.7\","
      "    \"port\": 3000,"
      "    \"p2p_port\": 41147,"
      "    \"allow_from\": [\"192.0.2.0/24\"],"
      "    \"trusted_proxies\": [],"
      "    \"max_body\": \"16777216B\","
      "    \"max_buffered\": \"134217728B\","
      "    \"max_connections\": 2000,"
      "    \"max_concurrent\": 500"
      "  },"
      "  \"auth\": {"
      "    \"mode\": \"token\","
      "    \"jwt\": {"
      "      \"issuer\": \"gate\","
      "      \"expiration_hours\": 24"
      "    }"
      "  },"
      "  \"upstreams\": {},"
      "  \"backends\": {},"
      "  \"models\": {},"
      "  \"relay\": {"
      "    \"enable\": true,"
      "    \"addresses\": [\"relay.example.org:443\",\"[2001:db8::1]:443\"],"
      "    \"custom_domain\": \"myserver\""
      "  },"
      "  \"log\": {"
      "    \"level\": \"info\""
      "  }"
      "}"
    ];
  };
  systemd.services = {
    gate-daemon = {
      unitConfig = {
        Description = "Gate, a private AI gateway";
        Documentation = "file://${gate}/share/doc/gate/install-systemd.md";
        Requires = "gate-daemon.socket gate-daemon-admin.socket";
        After = "gate-daemon.socket gate-daemon-admin.socket network.target nss-lookup.target";
        StartLimitIntervalSec = "0";
      };
      serviceConfig = {
        Type = "notify-reload";
        OpenFile = "/run/systemd/notify:notify";
        NotifyAccess = "main";
        ExecStart = "${gate}/lib/gate/node ${gate}/lib/gate/dist/bin/gate-daemon.js --declared /etc/gate/declared.json";
        WatchdogSec = "30s";
        TimeoutStopSec = "45s";
        KillMode = "mixed";
        Restart = "on-failure";
        RestartSec = "100ms";
        RestartSteps = "5";
        RestartMaxDelaySec = "5s";
        Sockets = "gate-daemon.socket gate-daemon-admin.socket";
        SyslogIdentifier = "gate-daemon";
        User = "gate";
        Group = "gate";
        StateDirectory = "gate";
        StateDirectoryMode = "0711";
        EnvironmentFile = "-/etc/gate/gate.env";
        LimitNOFILE = "65536";
        MemoryMax = "805306368";
        UMask = "0077";
        LimitCORE = "0";
        NoNewPrivileges = "yes";
        CapabilityBoundingSet = "";
        AmbientCapabilities = "";
        DevicePolicy = "closed";
        KeyringMode = "private";
        LockPersonality = "yes";
        MemoryDenyWriteExecute = "no";
        PrivateDevices = "yes";
        PrivateIPC = "yes";
        PrivateMounts = "yes";
        PrivateTmp = "yes";
        PrivateUsers = "yes";
        ProcSubset = "pid";
        ProtectClock = "yes";
        ProtectControlGroups = "yes";
        ProtectHome = "yes";
        ProtectHostname = "yes";
        ProtectKernelLogs = "yes";
        ProtectKernelModules = "yes";
        ProtectKernelTunables = "yes";
        ProtectProc = "invisible";
        ProtectSystem = "strict";
        RemoveIPC = "yes";
        RestrictAddressFamilies = "AF_UNIX AF_INET AF_INET6";
        RestrictNamespaces = "yes";
        RestrictRealtime = "yes";
        RestrictSUIDSGID = "yes";
        SystemCallArchitectures = "native";
        SystemCallErrorNumber = "EPERM";
        SystemCallFilter = [ "@system-service" "~@privileged @resources" ];
      };
      wantedBy = [ "multi-user.target" ];
      reloadTriggers = [ (config.environment.etc."gate/declared.json".source) ];
      stopIfChanged = false;
    };
    "gate-relay@" = {
      unitConfig = {
        Description = "Gate relay %i";
        Requires = "gate-relay-https@%i.socket gate-relay-p2p@%i.socket";
        Wants = "network-online.target";
        After = "gate-relay-https@%i.socket gate-relay-p2p@%i.socket network-online.target nss-lookup.target";
        StartLimitIntervalSec = "0";
      };
      serviceConfig = {
        Type = "notify-reload";
        OpenFile = "/run/systemd/notify:notify";
        NotifyAccess = "main";
        ExecStart = "${gate}/lib/gate/node ${gate}/lib/gate/dist/bin/gate-relay.js";
        WatchdogSec = "30s";
        TimeoutStopSec = "45s";
        KillMode = "mixed";
        Restart = "on-failure";
        RestartSec = "100ms";
        RestartSteps = "5";
        RestartMaxDelaySec = "5s";
        Sockets = "gate-relay-https@%i.socket gate-relay-p2p@%i.socket";
        SyslogIdentifier = "gate-relay-%i";
        Slice = "system-gate\\x2drelay.slice";
        DynamicUser = "yes";
        StateDirectory = "gate-relay/%i";
        StateDirectoryMode = "0700";
        EnvironmentFile = "-/etc/gate/relay-%i.env";
        LimitNOFILE = "65536";
        UMask = "0077";
        LimitCORE = "0";
        NoNewPrivileges = "yes";
        CapabilityBoundingSet = "";
        AmbientCapabilities = "";
        DevicePolicy = "closed";
        KeyringMode = "private";
        LockPersonality = "yes";
        MemoryDenyWriteExecute = "no";
        PrivateDevices = "yes";
        PrivateIPC = "yes";
        PrivateMounts = "yes";
        PrivateTmp = "yes";
        PrivateUsers = "yes";
        ProcSubset = "pid";
        ProtectClock = "yes";
        ProtectControlGroups = "yes";
        ProtectHome = "yes";
        ProtectHostname = "yes";
        ProtectKernelLogs = "yes";
        ProtectKernelModules = "yes";
        ProtectKernelTunables = "yes";
        ProtectProc = "invisible";
        ProtectSystem = "strict";
        RemoveIPC = "yes";
        RestrictAddressFamilies = "AF_UNIX AF_INET AF_INET6";
        RestrictNamespaces = "yes";
        RestrictRealtime = "yes";
        RestrictSUIDSGID = "yes";
        SystemCallArchitectures = "native";
        SystemCallErrorNumber = "EPERM";
        SystemCallFilter = [ "@system-service" "~@privileged @resources" ];
      };
    };
    "gate-relay@default" = {
      overrideStrategy = "asDropin";
      enableDefaultPath = false;
      serviceConfig = {
        Environment = [
          "RELAY__HTTPS_PORT=443"
          "RELAY__P2P_PORT=31145"
          "RELAY__BIND_ADDRESS=::"
          "RELAY__LOG_LEVEL=info"
          "RELAY__DOMAIN_SUFFIX=gate.example.org"
          "RELAY__DNS__PROVIDER=cloudflare"
          "RELAY__DNS__CLOUDFLARE__ZONE_ID=0123456789abcdef"
        ];
        LoadCredential = "dns.cloudflare.api_token:cloudflare";
      };
      wantedBy = [ "multi-user.target" ];
    };
    "gate-relay@office" = {
      overrideStrategy = "asDropin";
      enableDefaultPath = false;
      serviceConfig = {
        Environment = [
          "RELAY__HTTPS_PORT=8443"
          "RELAY__P2P_PORT=31146"
          "RELAY__BIND_ADDRESS=192.0.2.7"
          "RELAY__LOG_LEVEL=debug"
          "\"RELAY__ALLOW_FROM=[\\\"192.0.2.0/24\\\",\\\"2001:db8::/32\\\"]\""
        ];
        IPAddressDeny = "any";
        IPAddressAllow = "localhost 192.0.2.0/24 2001:db8::/32";
      };
      wantedBy = [ "multi-user.target" ];
    };
  };
  systemd.sockets = {
    gate-daemon-admin = {
      unitConfig = {
        Description = "Gate, a private AI gateway: administration";
      };
      socketConfig = {
        ListenStream = "/run/gate/admin.sock";
        FileDescriptorName = "admin";
        Service = "gate-daemon.service";
        SocketUser = "gate";
        SocketGroup = "gate-admin";
        SocketMode = "0660";
        RemoveOnStop = "yes";
      };
      wantedBy = [ "sockets.target" ];
    };
    gate-daemon = {
      unitConfig = {
        Description = "Gate, a private AI gateway: clients";
      };
      socketConfig = {
        ListenStream = "192.0.2.7:3000";
        FreeBind = "yes";
        FileDescriptorName = "gateway";
        NoDelay = "yes";
        Service = "gate-daemon.service";
      };
      wantedBy = [ "sockets.target" ];
    };
    "gate-relay-https@" = {
      unitConfig = {
        Description = "Gate relay %i: visitors";
      };
      socketConfig = {
        FileDescriptorName = "https";
        Service = "gate-relay@%i.service";
        FreeBind = "yes";
        BindIPv6Only = "both";
        NoDelay = "yes";
        Backlog = "4096";
      };
    };
    "gate-relay-https@default" = {
      overrideStrategy = "asDropin";
      socketConfig = {
        ListenStream = "[::]:443";
      };
      wantedBy = [ "sockets.target" ];
    };
    "gate-relay-https@office" = {
      overrideStrategy = "asDropin";
      socketConfig = {
        ListenStream = "192.0.2.7:8443";
        IPAddressDeny = "any";
        IPAddressAllow = "localhost 192.0.2.0/24 2001:db8::/32";
      };
      wantedBy = [ "sockets.target" ];
    };
    "gate-relay-p2p@" = {
      unitConfig = {
        Description = "Gate relay %i: nodes";
      };
      socketConfig = {
        FileDescriptorName = "p2p";
        Service = "gate-relay@%i.service";
        FreeBind = "yes";
        BindIPv6Only = "both";
        NoDelay = "yes";
        Backlog = "4096";
      };
    };
    "gate-relay-p2p@default" = {
      overrideStrategy = "asDropin";
      socketConfig = {
        ListenStream = "[::]:31145";
      };
      wantedBy = [ "sockets.target" ];
    };
    "gate-relay-p2p@office" = {
      overrideStrategy = "asDropin";
      socketConfig = {
        ListenStream = "192.0.2.7:31146";
        IPAddressDeny = "any";
        IPAddressAllow = "localhost 192.0.2.0/24 2001:db8::/32";
      };
      wantedBy = [ "sockets.target" ];
    };
  };
  systemd.tmpfiles.rules = [
    "d /var/lib/gate 0711 gate gate -"
    "d /var/lib/gate/models 02750 gate gate-models -"
    "d /etc/gate 0755 root root -"
    "d /run/gate 0755 root root -"
    "d /run/gate/backends 0755 root root -"
    "d /run/gate/secrets 0711 root root -"
  ];
  users.groups = {
    gate-admin = { };
    gate-models = { };
    gate = { };
  };
  users.users = {
    gate = {
      isSystemUser = true;
      group = "gate";
      extraGroups = [ "gate-admin" ];
      description = "Gate";
      home = "/var/lib/gate";
    };
  };
}

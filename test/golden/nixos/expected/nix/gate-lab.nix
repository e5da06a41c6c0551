# Made by gatectl from the spec; changes here are lost.
# Import it into a NixOS configuration (24.11 or newer) whose nixpkgs has the overlay of Gate's flake.
{ config, lib, pkgs, ... }:
let
  gate = pkgs.gate or (throw "there is no pkgs.gate: add Gate's overlay to nixpkgs.overlays");
in
{
  assertions = [
    {
      assertion = lib.versionAtLeast config.virtualisation.podman.package.version "5.2";
      message = "these units are for podman 5.2 or newer, this host has ${config.virtualisation.podman.package.version}: run gatectl compile with --podman and that version";
    }
    {
      assertion = lib.versionAtLeast config.systemd.package.version "257";
      message = "these units are for systemd 257 or newer, this host has ${config.systemd.package.version}: run gatectl compile with --systemd and that version";
    }
    {
      assertion = lib.count (range: range.startUid < 536936448 && range.startUid + range.count > 536870912)
        (lib.concatMap (user: user.subUidRanges) (lib.attrValues config.users.users)) == 1;
      message = "users.users.*.subUidRanges: another account has ids between 536870912 and 536936447, which belong to Gate's backends: move its range";
    }
    {
      assertion = lib.count (range: range.startGid < 536936448 && range.startGid + range.count > 536870912)
        (lib.concatMap (user: user.subGidRanges) (lib.attrValues config.users.users)) == 1;
      message = "users.users.*.subGidRanges: another account has ids between 536870912 and 536936447, which belong to Gate's backends: move its range";
    }
  ];
  environment.etc = {
    "gate-lab/declared.json".text = lib.concatLines [
      "{"
      "  \"server\": {"
      "    \"host\": \"100.64.0.7\","
      "    \"port\": 3100,"
      "    \"p2p_port\": 41148,"
      "    \"allow_from\": [],"
      "    \"trusted_proxies\": [],"
      "    \"max_body\": \"33554432B\","
      "    \"max_buffered\": \"536870912B\","
      "    \"max_connections\": 10000,"
      "    \"max_concurrent\": 4000"
      "  },"
      "  \"auth\": {"
      "    \"mode\": \"token\","
      "    \"jwt\": {"
      "      \"issuer\": \"gate\","
      "      \"expiration_hours\": 24"
      "    }"
      "  },"
      "  \"upstreams\": {"
      "    \"openai\": {"
      "      \"enabled\": true,"
      "      \"provider\": \"openai\","
      "      \"timeout\": \"600s\","
      "      \"idle_timeout\": \"120s\","
      "      \"connect_timeout\": \"5s\""
      "    }"
      "  },"
      "  \"backends\": {"
      "    \"own\": {"
      "      \"provider\": \"custom\","
      "      \"base_url\": \"http://localhost/v1\","
      "      \"socket\": \"/run/gate-lab/backends/own/engine.sock\","
      "      \"agent\": \"/run/gate-lab/backends/own/agent.sock\","
      "      \"models\": [\"own/model\"],"
      "      \"start_timeout\": \"120000ms\","
      "      \"max_waiting\": 100,"
      "      \"wait_timeout\": \"120000ms\""
      "    }"
      "  },"
      "  \"models\": {},"
      "  \"relay\": {"
      "    \"enable\": false,"
      "    \"addresses\": []"
      "  },"
      "  \"log\": {"
      "    \"level\": \"info\""
      "  }"
      "}"
    ];
    "gate-lab/user-units/40000/gate-agent.socket".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate agent of this backend"
      ""
      "[Socket]"
      "ListenStream=/run/gate-lab/backends/own/agent.sock"
      "SocketMode=0660"
      "# a process for each connection, named after the peer that the kernel reports"
      "Accept=yes"
      "MaxConnections=16"
      "# too many connections are refused, but never stop the socket for good"
      "TriggerLimitIntervalSec=0"
    ];
    "gate-lab/user-units/40000/gate-agent@.service".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate agent of this backend, one connection"
      "CollectMode=inactive-or-failed"
      ""
      "[Service]"
      "# all that it may touch; %i ends in the user id of whoever connected"
      "ExecStart=${gate}/bin/gate-agent --gateway=gate-lab --service=gate-lab-own.service --container=gate-lab-own --image=registry.example.org/team/engine:1.2 --peer=%i"
      "StandardInput=socket"
      "StandardError=journal"
      "SyslogIdentifier=gate-agent"
      "# no sandbox: in a user unit any of it implies NoNewPrivileges or a user namespace, where podman finds no newuidmap"
      "UMask=0077"
      "LimitCORE=0"
      "TasksMax=256"
      "RuntimeMaxSec=12h"
      "TimeoutStopSec=5s"
    ];
    "gate-lab/user-units/40000/sockets.target.d/gate.conf".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Wants=gate-agent.socket"
    ];
    "containers/systemd/users/40000/gate-lab-own.container".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate backend own"
      "StartLimitIntervalSec=600s"
      "StartLimitBurst=5"
      ""
      "[Container]"
      "Image=registry.example.org/team/engine:1.2"
      "ContainerName=gate-lab-own"
      "Pull=never"
      "UserNS=keep-id:uid=1000,gid=1000"
      "DropCapability=all"
      "NoNewPrivileges=true"
      "ReadOnly=true"
      "ReadOnlyTmpfs=true"
      "PidsLimit=4096"
      "PodmanArgs=--umask=0007"
      "Network=none"
      "GroupAdd=keep-groups"
      "Volume=/run/gate-lab/backends/own/container:/run/engine"
      "Volume=/var/lib/gate-lab/models/own/model:/models/own/model:ro"
      "Exec=--listen /run/engine/engine.sock \"$\${config.users}\" \"''$\${x}''\" \"\\\\$\${y} \\\"z\\\"\" /usr/bin/gate-agent ExecStart=/usr/bin/gate-agent"
      "Environment=\"PATH_IN_TEXT=$$$\${HOME}\\\\\""
      "Environment=\"GREETING=it's 100%% $\${HOME} 😀\""
      "HealthCmd=[\"/bin/check\",\"/run/engine/engine.sock\",\"$\${pkgs.gate}\"]"
      "HealthInterval=5s"
      "HealthTimeout=5s"
      "HealthRetries=3"
      "HealthStartPeriod=60s"
      "StopTimeout=30"
      "LogDriver=journald"
      "Label=gate.managed=gate-lab"
      "Label=gate.backend=own"
      "Notify=healthy"
      ""
      "[Service]"
      "Restart=on-failure"
      "RestartSec=5s"
      "TimeoutStartSec=120s"
      "TimeoutStopSec=45s"
      ""
      "[Install]"
      "WantedBy=default.target"
    ];
  };
  networking.firewall.interfaces.eth0.allowedTCPPorts = [ 443 31145 ];
  networking.firewall.interfaces.tailscale0.allowedTCPPorts = [ 3100 41148 ];
  networking.firewall.interfaces.wg-home.allowedTCPPorts = [ 3100 41148 ];
  systemd.services = {
    gate-lab-daemon = {
      unitConfig = {
        Description = "Gate, a private AI gateway";
        Documentation = "file://${gate}/share/doc/gate/install-systemd.md";
        Requires = "gate-lab-daemon.socket gate-lab-daemon-admin.socket";
        After = "gate-lab-daemon.socket gate-lab-daemon-admin.socket network.target nss-lookup.target";
        StartLimitIntervalSec = "0";
      };
      serviceConfig = {
        Type = "notify-reload";
        OpenFile = "/run/systemd/notify:notify";
        NotifyAccess = "main";
        ExecStart = "${gate}/lib/gate/node ${gate}/lib/gate/dist/bin/gate-daemon.js --declared /etc/gate-lab/declared.json";
        WatchdogSec = "30s";
        TimeoutStopSec = "45s";
        KillMode = "mixed";
        Restart = "on-failure";
        RestartSec = "100ms";
        RestartSteps = "5";
        RestartMaxDelaySec = "5s";
        Sockets = "gate-lab-daemon.socket gate-lab-daemon-admin.socket";
        SyslogIdentifier = "gate-lab-daemon";
        User = "gate-lab";
        Group = "gate-lab";
        StateDirectory = "gate-lab";
        StateDirectoryMode = "0711";
        EnvironmentFile = "-/etc/gate-lab/gate.env";
        LimitNOFILE = "65536";
        MemoryMax = "2147483648";
        LoadCredential = "upstreams.openai.api_key:/run/secrets/gate/openai";
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
      reloadTriggers = [ (config.environment.etc."gate-lab/declared.json".source) ];
      stopIfChanged = false;
    };
    "gate-lab-relay@" = {
      unitConfig = {
        Description = "Gate relay %i";
        Requires = "gate-lab-relay-https@%i.socket gate-lab-relay-p2p@%i.socket";
        Wants = "network-online.target";
        After = "gate-lab-relay-https@%i.socket gate-lab-relay-p2p@%i.socket network-online.target nss-lookup.target";
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
        Sockets = "gate-lab-relay-https@%i.socket gate-lab-relay-p2p@%i.socket";
        SyslogIdentifier = "gate-lab-relay-%i";
        Slice = "system-gate\\x2dlab\\x2drelay.slice";
        DynamicUser = "yes";
        StateDirectory = "gate-lab-relay/%i";
        StateDirectoryMode = "0700";
        EnvironmentFile = "-/etc/gate-lab/relay-%i.env";
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
    "gate-lab-relay@public" = {
      overrideStrategy = "asDropin";
      enableDefaultPath = false;
      serviceConfig = {
        Environment = [
          "RELAY__HTTPS_PORT=443"
          "RELAY__P2P_PORT=31145"
          "RELAY__BIND_ADDRESS=192.0.2.7"
          "RELAY__LOG_LEVEL=info"
          "RELAY__DOMAIN_SUFFIX=gate.example.org"
        ];
      };
      wantedBy = [ "multi-user.target" ];
    };
    "user@" = {
      overrideStrategy = "asDropin";
      enableDefaultPath = false;
      unitConfig = {
        Wants = "network-online.target";
      };
      serviceConfig = {
        Delegate = "cpu cpuset io memory pids";
      };
      restartIfChanged = false;
    };
    "user@40000" = {
      overrideStrategy = "asDropin";
      enableDefaultPath = false;
      serviceConfig = {
        Environment = "XDG_CONFIG_HOME=/var/lib/gate-lab-backends/own/.config";
      };
      restartIfChanged = false;
    };
  };
  systemd.sockets = {
    gate-lab-daemon-admin = {
      unitConfig = {
        Description = "Gate, a private AI gateway: administration";
      };
      socketConfig = {
        ListenStream = "/run/gate-lab/admin.sock";
        FileDescriptorName = "admin";
        Service = "gate-lab-daemon.service";
        SocketUser = "gate-lab";
        SocketGroup = "gate-lab-admin";
        SocketMode = "0660";
        RemoveOnStop = "yes";
      };
      wantedBy = [ "sockets.target" ];
    };
    gate-lab-daemon = {
      unitConfig = {
        Description = "Gate, a private AI gateway: clients";
      };
      socketConfig = {
        ListenStream = "100.64.0.7:3100";
        FreeBind = "yes";
        FileDescriptorName = "gateway";
        NoDelay = "yes";
        Service = "gate-lab-daemon.service";
      };
      wantedBy = [ "sockets.target" ];
    };
    "gate-lab-relay-https@" = {
      unitConfig = {
        Description = "Gate relay %i: visitors";
      };
      socketConfig = {
        FileDescriptorName = "https";
        Service = "gate-lab-relay@%i.service";
        FreeBind = "yes";
        BindIPv6Only = "both";
        NoDelay = "yes";
        Backlog = "4096";
      };
    };
    "gate-lab-relay-https@public" = {
      overrideStrategy = "asDropin";
      socketConfig = {
        ListenStream = "192.0.2.7:443";
      };
      wantedBy = [ "sockets.target" ];
    };
    "gate-lab-relay-p2p@" = {
      unitConfig = {
        Description = "Gate relay %i: nodes";
      };
      socketConfig = {
        FileDescriptorName = "p2p";
        Service = "gate-lab-relay@%i.service";
        FreeBind = "yes";
        BindIPv6Only = "both";
        NoDelay = "yes";
        Backlog = "4096";
      };
    };
    "gate-lab-relay-p2p@public" = {
      overrideStrategy = "asDropin";
      socketConfig = {
        ListenStream = "192.0.2.7:31145";
      };
      wantedBy = [ "sockets.target" ];
    };
  };
  systemd.tmpfiles.rules = [
    "d /var/lib/gate-lab 0711 gate-lab gate-lab -"
    "d /var/lib/gate-lab/models 02750 gate-lab gate-lab-models -"
    "d /etc/gate-lab 0755 root root -"
    "d /run/gate-lab 0755 root root -"
    "d /run/gate-lab/backends 0755 root root -"
    "d /run/gate-lab/secrets 0711 root root -"
    "d /run/gate-lab/backends/own 02750 gate-lab-own gate-lab -"
    "d /run/gate-lab/backends/own/container 02750 gate-lab-own gate-lab -"
    "d /var/lib/gate-lab-backends/own 0755 root root -"
    "d /var/lib/gate-lab-backends/own/.config 0755 root root -"
    "d /var/lib/gate-lab-backends/own/.config/systemd 0755 root root -"
    "d /var/lib/gate-lab-backends/own/.cache 0700 gate-lab-own gate-lab-own -"
    "d /var/lib/gate-lab-backends/own/.local 0700 gate-lab-own gate-lab-own -"
    "L+ /run/gate-lab/backends/own/engine.sock - - - - /run/gate-lab/backends/own/container/engine.sock"
    "L+ /var/lib/gate-lab-backends/own/.config/systemd/user - - - - /etc/gate-lab/user-units/40000"
  ];
  systemd.user.generators.podman-user-generator = "${config.virtualisation.podman.package}/lib/systemd/user-generators/podman-user-generator";
  systemd.user.services.podman-user-wait-network-online = {
    overrideStrategy = "asDropin";
    serviceConfig.ExecSearchPath = [
      "${pkgs.bash}/bin"
      "${pkgs.coreutils}/bin"
      "${config.systemd.package}/bin"
    ];
  };
  users.groups = {
    gate-lab-admin = { };
    gate-lab-models = { };
    gate-lab = { };
    gate-lab-own = {
      gid = 40000;
    };
  };
  users.users = {
    gate-lab = {
      isSystemUser = true;
      group = "gate-lab";
      extraGroups = [ "gate-lab-admin" ];
      description = "Gate";
      home = "/var/lib/gate-lab";
    };
    gate-lab-own = {
      isSystemUser = true;
      uid = 40000;
      group = "gate-lab-own";
      extraGroups = [ "gate-lab-models" ];
      description = "Gate backend own";
      home = "/var/lib/gate-lab-backends/own";
      linger = true;
      subUidRanges = [
        {
          startUid = 536870912;
          count = 65536;
        }
      ];
      subGidRanges = [
        {
          startGid = 536870912;
          count = 65536;
        }
      ];
    };
  };
  virtualisation.podman.enable = true;
  warnings = [
    "gate-lab-own runs registry.example.org/team/engine:1.2, which may change: name the image by @sha256:… in the spec"
  ];
}

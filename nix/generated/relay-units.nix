# Made by "npm run generate"; changes here are lost.
# Templates of the relays.
{ package }:
{
  services = {
    "gate-relay@" = {
      description = "Gate relay %i";
      requires = [
        "gate-relay-https@%i.socket"
        "gate-relay-p2p@%i.socket"
        "gate-relay-admin@%i.socket"
      ];
      wants = [ "network-online.target" ];
      after = [
        "gate-relay-https@%i.socket"
        "gate-relay-p2p@%i.socket"
        "gate-relay-admin@%i.socket"
        "network-online.target"
        "nss-lookup.target"
      ];
      startLimitIntervalSec = 0;
      serviceConfig = {
        Type = "notify-reload";
        OpenFile = "/run/systemd/notify:notify";
        NotifyAccess = "main";
        ExecStart = "${package}/lib/gate/node ${package}/lib/gate/dist/bin/gate-relay.js";
        WatchdogSec = "30s";
        TimeoutStopSec = "45s";
        KillMode = "mixed";
        Restart = "on-failure";
        RestartSec = "100ms";
        RestartSteps = "5";
        RestartMaxDelaySec = "5s";
        Sockets = "gate-relay-https@%i.socket gate-relay-p2p@%i.socket gate-relay-admin@%i.socket";
        SyslogIdentifier = "gate-relay-%i";
        Slice = "system-gate\\x2drelay.slice";
        DynamicUser = "yes";
        StateDirectory = "gate-relay/%i";
        StateDirectoryMode = "0700";
        Environment = "RELAY_INSTANCE=%i";
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
  };
  sockets = {
    "gate-relay-https@" = {
      description = "Gate relay %i: visitors";
      socketConfig = {
        FileDescriptorName = "https";
        Service = "gate-relay@%i.service";
        FreeBind = "yes";
        BindIPv6Only = "both";
        NoDelay = "yes";
        Backlog = "4096";
      };
    };
    "gate-relay-p2p@" = {
      description = "Gate relay %i: nodes";
      socketConfig = {
        FileDescriptorName = "p2p";
        Service = "gate-relay@%i.service";
        FreeBind = "yes";
        BindIPv6Only = "both";
        NoDelay = "yes";
        Backlog = "4096";
      };
    };
    "gate-relay-admin@" = {
      description = "Gate relay %i: administration";
      socketConfig = {
        FileDescriptorName = "admin";
        Service = "gate-relay@%i.service";
        SocketGroup = "gate-admin";
        SocketMode = "0660";
        RemoveOnStop = "yes";
      };
    };
  };
}

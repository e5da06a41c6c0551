# Made by "npm run generate"; changes here are lost.
# Units of one daemon.
{ package, prefix }:
{
  services = {
    "${prefix}-daemon" = {
      description = "Gate, a private AI gateway";
      documentation = [ "file://${package}/share/doc/gate/install-systemd.md" ];
      requires = [ "${prefix}-daemon-admin.socket" ];
      wants = [ "${prefix}-daemon.socket" ];
      partOf = [ "${prefix}-daemon.socket" ];
      after = [
        "${prefix}-daemon.socket"
        "${prefix}-daemon-admin.socket"
        "network.target"
        "nss-lookup.target"
      ];
      unitConfig.RequiresMountsFor = "/var/lib/${prefix}";
      startLimitIntervalSec = 0;
      serviceConfig = {
        Type = "notify-reload";
        OpenFile = "/run/systemd/notify:notify";
        NotifyAccess = "main";
        ExecStart = "${package}/lib/gate/node ${package}/lib/gate/dist/bin/gate-daemon.js --declared /etc/${prefix}/declared.json";
        WatchdogSec = "30s";
        TimeoutStopSec = "45s";
        KillMode = "mixed";
        Restart = "on-failure";
        RestartSec = "100ms";
        RestartSteps = "5";
        RestartMaxDelaySec = "5s";
        Sockets = "${prefix}-daemon.socket ${prefix}-daemon-admin.socket";
        SyslogIdentifier = "${prefix}-daemon";
        User = "${prefix}";
        Group = "${prefix}";
        Environment = "STATE_DIRECTORY=/var/lib/${prefix}";
        ReadWritePaths = "/var/lib/${prefix}";
        EnvironmentFile = "-/etc/${prefix}/gate.env";
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
        SystemCallFilter = [ "@system-service" "~@privileged @resources" "setpriority" ];
        TemporaryFileSystem = "/run:ro";
        BindReadOnlyPaths = "/run/${prefix}/backends -/run/systemd/resolve -/run/NetworkManager -/run/resolvconf -/run/connman -/run/avahi-daemon";
      };
      wantedBy = [ "multi-user.target" ];
    };
  };
  sockets = {
    "${prefix}-daemon" = {
      description = "Gate, a private AI gateway: clients";
      startLimitIntervalSec = 0;
      socketConfig = {
        FileDescriptorName = "gateway";
        NoDelay = "yes";
        Service = "${prefix}-daemon.service";
      };
      wantedBy = [ "sockets.target" ];
    };
    "${prefix}-daemon-admin" = {
      description = "Gate, a private AI gateway: administration";
      startLimitIntervalSec = 0;
      socketConfig = {
        ListenStream = "/run/${prefix}/admin.sock";
        FileDescriptorName = "admin";
        Service = "${prefix}-daemon.service";
        SocketUser = "${prefix}";
        SocketGroup = "${prefix}-admin";
        SocketMode = "0660";
        RemoveOnStop = "yes";
      };
      wantedBy = [ "sockets.target" ];
    };
    "${prefix}-daemon-https" = {
      description = "Gate, a private AI gateway: clients over TLS";
      startLimitIntervalSec = 0;
      socketConfig = {
        FileDescriptorName = "https";
        NoDelay = "yes";
        Service = "${prefix}-daemon.service";
      };
      wantedBy = [ "sockets.target" ];
    };
    "${prefix}-daemon-http" = {
      description = "Gate, a private AI gateway: redirects to TLS";
      startLimitIntervalSec = 0;
      socketConfig = {
        FileDescriptorName = "http";
        NoDelay = "yes";
        Service = "${prefix}-daemon.service";
      };
      wantedBy = [ "sockets.target" ];
    };
  };
}

# Made by gatectl from the spec; changes here are lost.
# Import it into a NixOS configuration (24.11 or newer) whose nixpkgs has the overlay of Gate's flake.
{ config, lib, pkgs, ... }:
let
  gate = pkgs.gate or (throw "there is no pkgs.gate: add Gate's overlay to nixpkgs.overlays");
in
{
  assertions = [
    {
      assertion = lib.versionAtLeast config.virtualisation.podman.package.version "5.4";
      message = "these units are for podman 5.4 or newer, this host has ${config.virtualisation.podman.package.version}: run gatectl compile with --podman and that version";
    }
    {
      assertion = lib.versionAtLeast config.systemd.package.version "257";
      message = "these units are for systemd 257 or newer, this host has ${config.systemd.package.version}: run gatectl compile with --systemd and that version";
    }
    {
      assertion = lib.count (range: range.startUid < 537001984 && range.startUid + range.count > 536870912)
        (lib.concatMap (user: user.subUidRanges) (lib.attrValues config.users.users)) == 2;
      message = "users.users.*.subUidRanges: another account has ids between 536870912 and 537001983, which belong to Gate's backends: move its range";
    }
    {
      assertion = lib.count (range: range.startGid < 537001984 && range.startGid + range.count > 536870912)
        (lib.concatMap (user: user.subGidRanges) (lib.attrValues config.users.users)) == 2;
      message = "users.users.*.subGidRanges: another account has ids between 536870912 and 537001983, which belong to Gate's backends: move its range";
    }
  ];
  environment.etc = {
    "gate/declared.json".text = lib.concatLines [
      "{"
      "  \"server\": {"
      "    \"host\": \"127.0.0.1\","
      "    \"port\": 3000,"
      "    \"p2p_port\": 41147,"
      "    \"allow_from\": [],"
      "    \"trusted_proxies\": [],"
      "    \"max_body\": \"33554432B\","
      "    \"max_buffered\": \"268435456B\","
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
      "  \"backends\": {"
      "    \"large\": {"
      "      \"provider\": \"llama-cpp\","
      "      \"base_url\": \"http://localhost/v1\","
      "      \"socket\": \"/run/gate/backends/large/engine.sock\","
      "      \"agent\": \"/run/gate/backends/large/agent.sock\","
      "      \"models\": [\"qwen3-32b-q4_k_m.gguf\"],"
      "      \"group\": \"gpu0\","
      "      \"idle_stop\": \"600000ms\","
      "      \"start_timeout\": \"900000ms\","
      "      \"max_waiting\": 100,"
      "      \"wait_timeout\": \"120000ms\""
      "    },"
      "    \"small\": {"
      "      \"provider\": \"vllm\","
      "      \"base_url\": \"http://localhost/v1\","
      "      \"socket\": \"/run/gate/backends/small/engine.sock\","
      "      \"agent\": \"/run/gate/backends/small/agent.sock\","
      "      \"models\": [\"Qwen/Qwen3-8B-FP8\"],"
      "      \"group\": \"gpu0\","
      "      \"start_timeout\": \"660000ms\","
      "      \"max_concurrent\": 8,"
      "      \"max_waiting\": 20,"
      "      \"wait_timeout\": \"300000ms\""
      "    }"
      "  },"
      "  \"models\": {"
      "    \"any\": {"
      "      \"strategy\": \"fallback\","
      "      \"targets\": ["
      "        {"
      "          \"upstream\": \"small\","
      "          \"model\": \"Qwen/Qwen3-8B-FP8\""
      "        },"
      "        {"
      "          \"upstream\": \"large\","
      "          \"model\": \"qwen3-32b-q4_k_m.gguf\""
      "        }"
      "      ]"
      "    }"
      "  },"
      "  \"relay\": {"
      "    \"enable\": false,"
      "    \"addresses\": []"
      "  },"
      "  \"log\": {"
      "    \"level\": \"info\""
      "  }"
      "}"
    ];
    "containers/containers.conf.d/50-gate-cdi.conf".text = lib.concatLines [
      "[engine]"
      "cdi_spec_dirs = [\"/etc/cdi\", \"/var/run/cdi\"]"
    ];
    "gate/user-units/40000/gate-agent.socket".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate agent of this backend"
      ""
      "[Socket]"
      "ListenStream=/run/gate/backends/large/agent.sock"
      "SocketMode=0660"
      "# a process for each connection, named after the peer that the kernel reports"
      "Accept=yes"
      "MaxConnections=16"
      "# too many connections are refused, but never stop the socket for good"
      "TriggerLimitIntervalSec=0"
    ];
    "gate/user-units/40000/gate-agent@.service".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate agent of this backend, one connection"
      "CollectMode=inactive-or-failed"
      ""
      "[Service]"
      "# all that it may touch; %i ends in the user id of whoever connected"
      "ExecStart=${gate}/bin/gate-agent --gateway=gate --service=gate-large.service --socket=gate-large.socket --proxy=gate-large-proxy.service --container=gate-large --image=ghcr.io/ggml-org/llama.cpp-cuda@sha256:a9f39f5ce04846a513f731724813289d146406ead897aa23ff50fcd0ad434637 --peer=%i"
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
    "gate/user-units/40000/gate-large-proxy.service".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Forwards to gate-large.service until it is idle"
      "Requires=gate-large.socket gate-large.service"
      "After=gate-large.socket gate-large.service"
      ""
      "[Service]"
      "Type=notify"
      "ExecStart=${config.systemd.package}/lib/systemd/systemd-socket-proxyd --connections-max=1024 --exit-idle-time=600s /run/gate/backends/large/container/engine.sock"
    ];
    "gate/user-units/40000/gate-large.socket".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Wakes gate-large-proxy.service"
      ""
      "[Socket]"
      "ListenStream=/run/gate/backends/large/engine.sock"
      "SocketMode=0660"
      "Service=gate-large-proxy.service"
    ];
    "gate/user-units/40000/sockets.target.d/gate.conf".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Wants=gate-agent.socket gate-large.socket"
    ];
    "gate/user-units/40001/gate-agent.socket".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate agent of this backend"
      ""
      "[Socket]"
      "ListenStream=/run/gate/backends/small/agent.sock"
      "SocketMode=0660"
      "# a process for each connection, named after the peer that the kernel reports"
      "Accept=yes"
      "MaxConnections=16"
      "# too many connections are refused, but never stop the socket for good"
      "TriggerLimitIntervalSec=0"
    ];
    "gate/user-units/40001/gate-agent@.service".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate agent of this backend, one connection"
      "CollectMode=inactive-or-failed"
      ""
      "[Service]"
      "# all that it may touch; %i ends in the user id of whoever connected"
      "ExecStart=${gate}/bin/gate-agent --gateway=gate --service=gate-small.service --socket=gate-small.socket --proxy=gate-small-proxy.service --container=gate-small --image=docker.io/vllm/vllm-openai@sha256:2eb2d84317d6274cb5075cf849e71d90db4f756a3a19d39f261f9705f4749dce --peer=%i"
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
    "gate/user-units/40001/gate-small-proxy.service".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Forwards to gate-small.service until it is idle"
      "Requires=gate-small.socket gate-small.service"
      "After=gate-small.socket gate-small.service"
      ""
      "[Service]"
      "Type=notify"
      "ExecStart=${config.systemd.package}/lib/systemd/systemd-socket-proxyd --connections-max=1024 /run/gate/backends/small/container/engine.sock"
    ];
    "gate/user-units/40001/gate-small.socket".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Wakes gate-small-proxy.service"
      ""
      "[Socket]"
      "ListenStream=/run/gate/backends/small/engine.sock"
      "SocketMode=0660"
      "Service=gate-small-proxy.service"
    ];
    "gate/user-units/40001/sockets.target.d/gate.conf".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Wants=gate-agent.socket gate-small.socket"
    ];
    "containers/systemd/users/40000/gate-large.container".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate backend large"
      "StartLimitIntervalSec=600s"
      "StartLimitBurst=5"
      "StopWhenUnneeded=yes"
      ""
      "[Container]"
      "Image=ghcr.io/ggml-org/llama.cpp-cuda@sha256:a9f39f5ce04846a513f731724813289d146406ead897aa23ff50fcd0ad434637"
      "ContainerName=gate-large"
      "Pull=never"
      "UserNS=keep-id:uid=1000,gid=1000"
      "DropCapability=all"
      "NoNewPrivileges=true"
      "ReadOnly=true"
      "ReadOnlyTmpfs=true"
      "PidsLimit=4096"
      "PodmanArgs=--umask=0007"
      "Network=none"
      "AddDevice=nvidia.com/gpu=all"
      "GroupAdd=keep-groups"
      "Volume=/run/gate/backends/large/container:/run/engine"
      "Volume=/var/lib/gate/models/qwen3-32b-q4_k_m.gguf:/models/qwen3-32b-q4_k_m.gguf:ro"
      "Exec=--model /models/qwen3-32b-q4_k_m.gguf --alias qwen3-32b-q4_k_m.gguf --host /run/engine/engine.sock --n-gpu-layers 999"
      "HealthCmd=[\"curl\",\"--fail\",\"--silent\",\"--show-error\",\"--unix-socket\",\"/run/engine/engine.sock\",\"http://localhost/health\"]"
      "HealthInterval=5s"
      "HealthTimeout=5s"
      "HealthRetries=3"
      "HealthStartPeriod=300s"
      "StopTimeout=30"
      "LogDriver=journald"
      "Label=gate.managed=gate"
      "Label=gate.backend=large"
      "Notify=healthy"
      ""
      "[Service]"
      "Restart=on-failure"
      "RestartSec=5s"
      "TimeoutStartSec=900s"
      "TimeoutStopSec=45s"
    ];
    "containers/systemd/users/40001/gate-small-cache.volume".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Volume]"
      "Label=gate.volume=gate-small-cache"
    ];
    "containers/systemd/users/40001/gate-small.container".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate backend small"
      "StartLimitIntervalSec=600s"
      "StartLimitBurst=5"
      "StopWhenUnneeded=yes"
      ""
      "[Container]"
      "Image=docker.io/vllm/vllm-openai@sha256:2eb2d84317d6274cb5075cf849e71d90db4f756a3a19d39f261f9705f4749dce"
      "ContainerName=gate-small"
      "Pull=never"
      "UserNS=keep-id:uid=1000,gid=1000"
      "DropCapability=all"
      "NoNewPrivileges=true"
      "ReadOnly=true"
      "ReadOnlyTmpfs=true"
      "PidsLimit=4096"
      "ShmSize=8589934592"
      "PodmanArgs=--umask=0007"
      "Network=none"
      "AddDevice=nvidia.com/gpu=all"
      "GroupAdd=keep-groups"
      "Volume=/run/gate/backends/small/container:/run/engine"
      "Volume=/var/lib/gate/models/Qwen/Qwen3-8B-FP8:/models/Qwen/Qwen3-8B-FP8:ro"
      "Volume=gate-small-cache.volume:/cache"
      "Entrypoint=vllm"
      "Exec=serve /models/Qwen/Qwen3-8B-FP8 --served-model-name Qwen/Qwen3-8B-FP8 --uds /run/engine/engine.sock"
      "Environment=HOME=/cache"
      "Environment=XDG_CACHE_HOME=/cache"
      "Environment=VLLM_NO_USAGE_STATS=1"
      "Environment=HF_HUB_OFFLINE=1"
      "HealthCmd=[\"curl\",\"--fail\",\"--silent\",\"--show-error\",\"--unix-socket\",\"/run/engine/engine.sock\",\"http://localhost/health\"]"
      "HealthInterval=5s"
      "HealthTimeout=5s"
      "HealthRetries=3"
      "HealthStartPeriod=600s"
      "StopTimeout=30"
      "LogDriver=journald"
      "Label=gate.managed=gate"
      "Label=gate.backend=small"
      "Notify=healthy"
      ""
      "[Service]"
      "Restart=on-failure"
      "RestartSec=5s"
      "TimeoutStartSec=660s"
      "TimeoutStopSec=45s"
    ];
  };
  hardware.nvidia-container-toolkit.enable = true;
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
        MemoryMax = "1073741824";
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
        Environment = "XDG_CONFIG_HOME=/var/lib/gate-backends/large/.config";
      };
      restartIfChanged = false;
    };
    "user@40001" = {
      overrideStrategy = "asDropin";
      enableDefaultPath = false;
      serviceConfig = {
        Environment = "XDG_CONFIG_HOME=/var/lib/gate-backends/small/.config";
      };
      restartIfChanged = false;
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
        ListenStream = "127.0.0.1:3000";
        FileDescriptorName = "gateway";
        NoDelay = "yes";
        Service = "gate-daemon.service";
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
    "d /run/gate/backends/large 02750 gate-large gate -"
    "d /run/gate/backends/large/container 02750 gate-large gate -"
    "d /var/lib/gate-backends/large 0755 root root -"
    "d /var/lib/gate-backends/large/.config 0755 root root -"
    "d /var/lib/gate-backends/large/.config/systemd 0755 root root -"
    "d /var/lib/gate-backends/large/.cache 0700 gate-large gate-large -"
    "d /var/lib/gate-backends/large/.local 0700 gate-large gate-large -"
    "d /run/gate/backends/small 02750 gate-small gate -"
    "d /run/gate/backends/small/container 02750 gate-small gate -"
    "d /var/lib/gate-backends/small 0755 root root -"
    "d /var/lib/gate-backends/small/.config 0755 root root -"
    "d /var/lib/gate-backends/small/.config/systemd 0755 root root -"
    "d /var/lib/gate-backends/small/.cache 0700 gate-small gate-small -"
    "d /var/lib/gate-backends/small/.local 0700 gate-small gate-small -"
    "L+ /var/lib/gate-backends/large/.config/systemd/user - - - - /etc/gate/user-units/40000"
    "L+ /var/lib/gate-backends/small/.config/systemd/user - - - - /etc/gate/user-units/40001"
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
    gate-admin = { };
    gate-models = { };
    gate = { };
    gate-large = {
      gid = 40000;
    };
    gate-small = {
      gid = 40001;
    };
  };
  users.users = {
    gate = {
      isSystemUser = true;
      group = "gate";
      extraGroups = [ "gate-admin" ];
      description = "Gate";
      home = "/var/lib/gate";
    };
    gate-large = {
      isSystemUser = true;
      uid = 40000;
      group = "gate-large";
      extraGroups = [ "gate-models" ];
      description = "Gate backend large";
      home = "/var/lib/gate-backends/large";
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
    gate-small = {
      isSystemUser = true;
      uid = 40001;
      group = "gate-small";
      extraGroups = [ "gate-models" ];
      description = "Gate backend small";
      home = "/var/lib/gate-backends/small";
      linger = true;
      subUidRanges = [
        {
          startUid = 536936448;
          count = 65536;
        }
      ];
      subGidRanges = [
        {
          startGid = 536936448;
          count = 65536;
        }
      ];
    };
  };
  virtualisation.podman.enable = true;
}

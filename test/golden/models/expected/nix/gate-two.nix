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
    "gate-two/declared.json".text = lib.concatLines [
      "{"
      "  \"server\": {"
      "    \"host\": \"::1\","
      "    \"port\": 3001,"
      "    \"p2p_port\": 41148,"
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
      "  \"upstreams\": {"
      "    \"openai\": {"
      "      \"enabled\": true,"
      "      \"provider\": \"openai\","
      "      \"models\": [\"gpt-5-mini\",\"gpt-5\"],"
      "      \"timeout\": \"30s\","
      "      \"idle_timeout\": \"120s\","
      "      \"connect_timeout\": \"5s\""
      "    },"
      "    \"lab\": {"
      "      \"enabled\": false,"
      "      \"provider\": \"vllm\","
      "      \"base_url\": \"http://127.0.0.1:9000/v1\","
      "      \"timeout\": \"600s\","
      "      \"idle_timeout\": \"120s\","
      "      \"connect_timeout\": \"5s\""
      "    }"
      "  },"
      "  \"backends\": {"
      "    \"qwen\": {"
      "      \"provider\": \"vllm\","
      "      \"base_url\": \"http://localhost/v1\","
      "      \"socket\": \"/run/gate-two/backends/qwen/engine.sock\","
      "      \"agent\": \"/run/gate-two/backends/qwen/agent.sock\","
      "      \"models\": [\"Qwen/Qwen3-8B-FP8\"],"
      "      \"idle_stop\": \"600000ms\","
      "      \"start_timeout\": \"660000ms\","
      "      \"max_waiting\": 100,"
      "      \"wait_timeout\": \"120000ms\""
      "    },"
      "    \"small\": {"
      "      \"provider\": \"llama-cpp\","
      "      \"base_url\": \"http://127.0.0.1:18081/v1\","
      "      \"agent\": \"/run/gate-two/backends/small/agent.sock\","
      "      \"models\": [\"qwen3-0.6b.gguf\"],"
      "      \"start_timeout\": \"360000ms\","
      "      \"max_waiting\": 100,"
      "      \"wait_timeout\": \"120000ms\""
      "    }"
      "  },"
      "  \"models\": {"
      "    \"coder\": {"
      "      \"category\": \"thinking\","
      "      \"strategy\": \"fallback\","
      "      \"targets\": ["
      "        {"
      "          \"upstream\": \"qwen\","
      "          \"model\": \"Qwen/Qwen3-8B-FP8\""
      "        },"
      "        {"
      "          \"upstream\": \"openai\","
      "          \"model\": \"gpt-5-mini\""
      "        }"
      "      ]"
      "    },"
      "    \"cheap\": {"
      "      \"strategy\": \"fallback\","
      "      \"targets\": ["
      "        {"
      "          \"upstream\": \"small\","
      "          \"model\": \"qwen3-0.6b.gguf\""
      "        },"
      "        {"
      "          \"upstream\": \"openai\","
      "          \"model\": \"gpt-5-mini\""
      "        }"
      "      ]"
      "    },"
      "    \"spread\": {"
      "      \"strategy\": \"weighted\","
      "      \"targets\": ["
      "        {"
      "          \"upstream\": \"small\","
      "          \"model\": \"qwen3-0.6b.gguf\","
      "          \"weight\": 3"
      "        },"
      "        {"
      "          \"upstream\": \"openai\","
      "          \"model\": \"gpt-5\","
      "          \"weight\": 1"
      "        }"
      "      ]"
      "    },"
      "    \"half\": {"
      "      \"strategy\": \"weighted\","
      "      \"targets\": ["
      "        {"
      "          \"upstream\": \"small\","
      "          \"model\": \"qwen3-0.6b.gguf\","
      "          \"weight\": 1.5"
      "        },"
      "        {"
      "          \"upstream\": \"openai\","
      "          \"model\": \"gpt-5\","
      "          \"weight\": 0.5"
      "        },"
      "        {"
      "          \"upstream\": \"lab\","
      "          \"model\": \"llama\","
      "          \"weight\": 2"
      "        }"
      "      ]"
      "    },"
      "    \"first\": {"
      "      \"strategy\": \"fallback\","
      "      \"targets\": ["
      "        {"
      "          \"upstream\": \"qwen\","
      "          \"model\": \"Qwen/Qwen3-8B-FP8\""
      "        },"
      "        {"
      "          \"upstream\": \"openai\","
      "          \"model\": \"gpt-5-mini\""
      "        },"
      "        {"
      "          \"upstream\": \"small\","
      "          \"model\": \"qwen3-0.6b.gguf\""
      "        }"
      "      ]"
      "    },"
      "    \"mixed\": {"
      "      \"strategy\": \"fallback\","
      "      \"targets\": ["
      "        {"
      "          \"upstream\": \"small\","
      "          \"model\": \"qwen3-0.6b.gguf\""
      "        },"
      "        {"
      "          \"upstream\": \"openai\","
      "          \"model\": \"gpt-5\""
      "        },"
      "        {"
      "          \"upstream\": \"qwen\","
      "          \"model\": \"Qwen/Qwen3-8B-FP8\""
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
    "containers/containers.conf.d/50-gate-two-cdi.conf".text = lib.concatLines [
      "[engine]"
      "cdi_spec_dirs = [\"/etc/cdi\", \"/var/run/cdi\"]"
    ];
    "gate-two/user-units/40000/gate-agent.socket".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate agent of this backend"
      ""
      "[Socket]"
      "ListenStream=/run/gate-two/backends/qwen/agent.sock"
      "SocketMode=0660"
      "# a process for each connection, named after the peer that the kernel reports"
      "Accept=yes"
      "MaxConnections=16"
      "# too many connections are refused, but never stop the socket for good"
      "TriggerLimitIntervalSec=0"
    ];
    "gate-two/user-units/40000/gate-agent@.service".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate agent of this backend, one connection"
      "CollectMode=inactive-or-failed"
      ""
      "[Service]"
      "# all that it may touch; %i ends in the user id of whoever connected"
      "ExecStart=${gate}/bin/gate-agent --gateway=gate-two --service=gate-two-qwen.service --socket=gate-two-qwen.socket --proxy=gate-two-qwen-proxy.service --container=gate-two-qwen --image=docker.io/vllm/vllm-openai@sha256:2eb2d84317d6274cb5075cf849e71d90db4f756a3a19d39f261f9705f4749dce --peer=%i"
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
    "gate-two/user-units/40000/gate-two-qwen-proxy.service".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Forwards to gate-two-qwen.service until it is idle"
      "Requires=gate-two-qwen.socket gate-two-qwen.service"
      "After=gate-two-qwen.socket gate-two-qwen.service"
      ""
      "[Service]"
      "Type=notify"
      "ExecStart=${config.systemd.package}/lib/systemd/systemd-socket-proxyd --connections-max=1024 --exit-idle-time=600s /run/gate-two/backends/qwen/container/engine.sock"
    ];
    "gate-two/user-units/40000/gate-two-qwen.socket".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Wakes gate-two-qwen-proxy.service"
      ""
      "[Socket]"
      "ListenStream=/run/gate-two/backends/qwen/engine.sock"
      "SocketMode=0660"
      "Service=gate-two-qwen-proxy.service"
    ];
    "gate-two/user-units/40000/sockets.target.d/gate.conf".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Wants=gate-agent.socket gate-two-qwen.socket"
    ];
    "gate-two/user-units/40001/gate-agent.socket".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate agent of this backend"
      ""
      "[Socket]"
      "ListenStream=/run/gate-two/backends/small/agent.sock"
      "SocketMode=0660"
      "# a process for each connection, named after the peer that the kernel reports"
      "Accept=yes"
      "MaxConnections=16"
      "# too many connections are refused, but never stop the socket for good"
      "TriggerLimitIntervalSec=0"
    ];
    "gate-two/user-units/40001/gate-agent@.service".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate agent of this backend, one connection"
      "CollectMode=inactive-or-failed"
      ""
      "[Service]"
      "# all that it may touch; %i ends in the user id of whoever connected"
      "ExecStart=${gate}/bin/gate-agent --gateway=gate-two --service=gate-two-small.service --container=gate-two-small --image=ghcr.io/ggml-org/llama.cpp@sha256:204d5240e5a396b132acba1a41dfc6826a5f3c1ab1a55acb2a10a6c6b58c473d --peer=%i"
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
    "gate-two/user-units/40001/sockets.target.d/gate.conf".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Wants=gate-agent.socket"
    ];
    "containers/systemd/users/40000/gate-two-qwen-cache.volume".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Volume]"
      "Label=gate.volume=gate-two-qwen-cache"
    ];
    "containers/systemd/users/40000/gate-two-qwen.container".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate backend qwen"
      "StartLimitIntervalSec=600s"
      "StartLimitBurst=5"
      "StopWhenUnneeded=yes"
      ""
      "[Container]"
      "Image=docker.io/vllm/vllm-openai@sha256:2eb2d84317d6274cb5075cf849e71d90db4f756a3a19d39f261f9705f4749dce"
      "ContainerName=gate-two-qwen"
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
      "Volume=/run/gate-two/backends/qwen/container:/run/engine"
      "Volume=/var/lib/gate-two/models/Qwen/Qwen3-8B-FP8:/models/Qwen/Qwen3-8B-FP8:ro"
      "Volume=gate-two-qwen-cache.volume:/cache"
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
      "Label=gate.managed=gate-two"
      "Label=gate.backend=qwen"
      "Notify=healthy"
      ""
      "[Service]"
      "Restart=on-failure"
      "RestartSec=5s"
      "TimeoutStartSec=660s"
      "TimeoutStopSec=45s"
    ];
    "containers/systemd/users/40001/gate-two-small.container".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate backend small"
      "StartLimitIntervalSec=600s"
      "StartLimitBurst=5"
      ""
      "[Container]"
      "Image=ghcr.io/ggml-org/llama.cpp@sha256:204d5240e5a396b132acba1a41dfc6826a5f3c1ab1a55acb2a10a6c6b58c473d"
      "ContainerName=gate-two-small"
      "Pull=never"
      "UserNS=keep-id:uid=1000,gid=1000"
      "DropCapability=all"
      "NoNewPrivileges=true"
      "ReadOnly=true"
      "ReadOnlyTmpfs=true"
      "PidsLimit=4096"
      "PodmanArgs=--umask=0007"
      "Network=gate-two-small.network"
      "PublishPort=127.0.0.1:18081:8080"
      "GroupAdd=keep-groups"
      "Volume=/var/lib/gate-two/models/qwen3-0.6b.gguf:/models/qwen3-0.6b.gguf:ro"
      "Exec=--model /models/qwen3-0.6b.gguf --alias qwen3-0.6b.gguf --host 0.0.0.0 --port 8080"
      "EnvironmentFile=/run/gate-two/secrets/small/environment"
      "HealthCmd=[\"curl\",\"--fail\",\"--silent\",\"--show-error\",\"http://127.0.0.1:8080/health\"]"
      "HealthInterval=5s"
      "HealthTimeout=5s"
      "HealthRetries=3"
      "HealthStartPeriod=300s"
      "StopTimeout=30"
      "LogDriver=journald"
      "Label=gate.managed=gate-two"
      "Label=gate.backend=small"
      "Notify=healthy"
      ""
      "[Service]"
      "Restart=on-failure"
      "RestartSec=5s"
      "TimeoutStartSec=360s"
      "TimeoutStopSec=45s"
      ""
      "[Install]"
      "WantedBy=default.target"
    ];
    "containers/systemd/users/40001/gate-two-small.network".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Network]"
      "Internal=true"
      "DisableDNS=true"
    ];
  };
  hardware.nvidia-container-toolkit.enable = true;
  systemd.services = {
    gate-two-daemon = {
      unitConfig = {
        Description = "Gate, a private AI gateway";
        Documentation = "file://${gate}/share/doc/gate/install-systemd.md";
        Requires = "gate-two-daemon.socket gate-two-daemon-admin.socket";
        Wants = "gate-two-secrets.service";
        After = "gate-two-daemon.socket gate-two-daemon-admin.socket network.target nss-lookup.target gate-two-secrets.service";
        StartLimitIntervalSec = "0";
      };
      serviceConfig = {
        Type = "notify-reload";
        OpenFile = "/run/systemd/notify:notify";
        NotifyAccess = "main";
        ExecStart = "${gate}/lib/gate/node ${gate}/lib/gate/dist/bin/gate-daemon.js --declared /etc/gate-two/declared.json";
        WatchdogSec = "30s";
        TimeoutStopSec = "45s";
        KillMode = "mixed";
        Restart = "on-failure";
        RestartSec = "100ms";
        RestartSteps = "5";
        RestartMaxDelaySec = "5s";
        Sockets = "gate-two-daemon.socket gate-two-daemon-admin.socket";
        SyslogIdentifier = "gate-two-daemon";
        User = "gate-two";
        Group = "gate-two";
        StateDirectory = "gate-two";
        StateDirectoryMode = "0711";
        EnvironmentFile = "-/etc/gate-two/gate.env";
        LimitNOFILE = "65536";
        MemoryMax = "1073741824";
        LoadCredential = [
          "upstreams.openai.api_key:/etc/gate/openai key"
          "backends.small.api_key:/var/lib/gate-two-deploy/secrets/backends.small.api_key"
        ];
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
      reloadTriggers = [ (config.environment.etc."gate-two/declared.json".source) ];
      stopIfChanged = false;
    };
    gate-two-secrets = {
      unitConfig = {
        Description = "Gate: secrets that are made once and kept";
      };
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = "yes";
        ExecStart = "/bin/sh -euc \"umask 0077; mkdir -p \\\"$$1\\\"; cd \\\"$$1\\\"; shift; for name; do [ -s \\\"$$name\\\" ] || { head -c 32 /dev/urandom | base64 -w 0 >\\\"$$name.new\\\"; mv \\\"$$name.new\\\" \\\"$$name\\\"; }; done\" sh /var/lib/gate-two-deploy/secrets backends.small.api_key";
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
        ProcSubset = "pid";
        ProtectClock = "yes";
        ProtectControlGroups = "yes";
        ProtectHome = "yes";
        ProtectHostname = "yes";
        ProtectKernelLogs = "yes";
        ProtectKernelModules = "yes";
        ProtectKernelTunables = "yes";
        ProtectProc = "invisible";
        RemoveIPC = "yes";
        RestrictAddressFamilies = "AF_UNIX AF_INET AF_INET6";
        RestrictNamespaces = "yes";
        RestrictRealtime = "yes";
        RestrictSUIDSGID = "yes";
        SystemCallArchitectures = "native";
        SystemCallErrorNumber = "EPERM";
        SystemCallFilter = [ "@system-service" "~@privileged @resources" ];
        PrivateUsers = "no";
        PrivateNetwork = "yes";
        ProtectSystem = "full";
      };
    };
    gate-two-small-secrets = {
      unitConfig = {
        Description = "Gate: secrets of gate-two-small";
        Requires = "gate-two-secrets.service";
        After = "gate-two-secrets.service";
      };
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = "yes";
        ExecStart = "/bin/sh -euc \"umask 0077; cd \\\"$$CREDENTIALS_DIRECTORY\\\"; for name in *; do value=; IFS= read -r value <\\\"$$name\\\" || [ -n \\\"$$value\\\" ]; printf '%%s=%%s\\\\n' \\\"$$name\\\" \\\"$$value\\\"; done >\\\"$$1.new\\\"; chgrp \\\"$$2\\\" \\\"$$1.new\\\"; chmod 0440 \\\"$$1.new\\\"; mv \\\"$$1.new\\\" \\\"$$1\\\"\" sh /run/gate-two/secrets/small/environment gate-two-small";
        LoadCredential = "LLAMA_API_KEY:/var/lib/gate-two-deploy/secrets/backends.small.api_key";
        ReadWritePaths = "/run/gate-two/secrets/small";
        UMask = "0077";
        LimitCORE = "0";
        NoNewPrivileges = "yes";
        AmbientCapabilities = "";
        DevicePolicy = "closed";
        KeyringMode = "private";
        LockPersonality = "yes";
        MemoryDenyWriteExecute = "no";
        PrivateDevices = "yes";
        PrivateIPC = "yes";
        PrivateMounts = "yes";
        PrivateTmp = "yes";
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
        SystemCallFilter = [ "@system-service" "~@privileged @resources" "@chown" ];
        PrivateUsers = "no";
        PrivateNetwork = "yes";
        CapabilityBoundingSet = "CAP_CHOWN";
      };
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
        Environment = "XDG_CONFIG_HOME=/var/lib/gate-two-backends/qwen/.config";
      };
      restartIfChanged = false;
    };
    "user@40001" = {
      overrideStrategy = "asDropin";
      enableDefaultPath = false;
      unitConfig = {
        Wants = "gate-two-small-secrets.service";
        After = "gate-two-small-secrets.service";
      };
      serviceConfig = {
        Environment = "XDG_CONFIG_HOME=/var/lib/gate-two-backends/small/.config";
      };
      restartIfChanged = false;
    };
  };
  systemd.sockets = {
    gate-two-daemon-admin = {
      unitConfig = {
        Description = "Gate, a private AI gateway: administration";
      };
      socketConfig = {
        ListenStream = "/run/gate-two/admin.sock";
        FileDescriptorName = "admin";
        Service = "gate-two-daemon.service";
        SocketUser = "gate-two";
        SocketGroup = "gate-two-admin";
        SocketMode = "0660";
        RemoveOnStop = "yes";
      };
      wantedBy = [ "sockets.target" ];
    };
    gate-two-daemon = {
      unitConfig = {
        Description = "Gate, a private AI gateway: clients";
      };
      socketConfig = {
        ListenStream = "[::1]:3001";
        FileDescriptorName = "gateway";
        NoDelay = "yes";
        Service = "gate-two-daemon.service";
      };
      wantedBy = [ "sockets.target" ];
    };
  };
  systemd.tmpfiles.rules = [
    "d /var/lib/gate-two 0711 gate-two gate-two -"
    "d /var/lib/gate-two/models 02750 gate-two gate-two-models -"
    "d /etc/gate-two 0755 root root -"
    "d /run/gate-two 0755 root root -"
    "d /run/gate-two/backends 0755 root root -"
    "d /run/gate-two/secrets 0711 root root -"
    "d /run/gate-two/backends/qwen 02750 gate-two-qwen gate-two -"
    "d /run/gate-two/backends/qwen/container 02750 gate-two-qwen gate-two -"
    "d /var/lib/gate-two-backends/qwen 0755 root root -"
    "d /var/lib/gate-two-backends/qwen/.config 0755 root root -"
    "d /var/lib/gate-two-backends/qwen/.config/systemd 0755 root root -"
    "d /var/lib/gate-two-backends/qwen/.cache 0700 gate-two-qwen gate-two-qwen -"
    "d /var/lib/gate-two-backends/qwen/.local 0700 gate-two-qwen gate-two-qwen -"
    "d /run/gate-two/backends/small 02750 gate-two-small gate-two -"
    "d /run/gate-two/backends/small/container 02750 gate-two-small gate-two -"
    "d /var/lib/gate-two-backends/small 0755 root root -"
    "d /var/lib/gate-two-backends/small/.config 0755 root root -"
    "d /var/lib/gate-two-backends/small/.config/systemd 0755 root root -"
    "d /var/lib/gate-two-backends/small/.cache 0700 gate-two-small gate-two-small -"
    "d /var/lib/gate-two-backends/small/.local 0700 gate-two-small gate-two-small -"
    "d /run/gate-two/secrets/small 0750 root gate-two-small -"
    "L+ /var/lib/gate-two-backends/qwen/.config/systemd/user - - - - /etc/gate-two/user-units/40000"
    "L+ /var/lib/gate-two-backends/small/.config/systemd/user - - - - /etc/gate-two/user-units/40001"
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
    gate-two-admin = { };
    gate-two-models = { };
    gate-two = { };
    gate-two-qwen = {
      gid = 40000;
    };
    gate-two-small = {
      gid = 40001;
    };
  };
  users.users = {
    gate-two = {
      isSystemUser = true;
      group = "gate-two";
      extraGroups = [ "gate-two-admin" ];
      description = "Gate";
      home = "/var/lib/gate-two";
    };
    gate-two-qwen = {
      isSystemUser = true;
      uid = 40000;
      group = "gate-two-qwen";
      extraGroups = [ "gate-two-models" ];
      description = "Gate backend qwen";
      home = "/var/lib/gate-two-backends/qwen";
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
    gate-two-small = {
      isSystemUser = true;
      uid = 40001;
      group = "gate-two-small";
      extraGroups = [ "gate-two-models" ];
      description = "Gate backend small";
      home = "/var/lib/gate-two-backends/small";
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

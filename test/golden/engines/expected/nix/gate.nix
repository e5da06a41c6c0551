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
      assertion = lib.count (range: range.startUid < 537526272 && range.startUid + range.count > 536936448)
        (lib.concatMap (user: user.subUidRanges) (lib.attrValues config.users.users)) == 9;
      message = "users.users.*.subUidRanges: another account has ids between 536936448 and 537526271, which belong to Gate's backends: move its range";
    }
    {
      assertion = lib.count (range: range.startGid < 537526272 && range.startGid + range.count > 536936448)
        (lib.concatMap (user: user.subGidRanges) (lib.attrValues config.users.users)) == 9;
      message = "users.users.*.subGidRanges: another account has ids between 536936448 and 537526271, which belong to Gate's backends: move its range";
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
      "    \"llama-cpu\": {"
      "      \"provider\": \"llama-cpp\","
      "      \"base_url\": \"http://localhost/v1\","
      "      \"socket\": \"/run/gate/backends/llama-cpu/engine.sock\","
      "      \"agent\": \"/run/gate/backends/llama-cpu/agent.sock\","
      "      \"models\": [\"qwen3-8b-q4_k_m.gguf\"],"
      "      \"start_timeout\": \"360000ms\","
      "      \"max_waiting\": 100,"
      "      \"wait_timeout\": \"120000ms\""
      "    },"
      "    \"llama-cuda\": {"
      "      \"provider\": \"llama-cpp\","
      "      \"base_url\": \"http://localhost/v1\","
      "      \"socket\": \"/run/gate/backends/llama-cuda/engine.sock\","
      "      \"agent\": \"/run/gate/backends/llama-cuda/agent.sock\","
      "      \"models\": [\"qwen3-8b-q4_k_m.gguf\"],"
      "      \"idle_stop\": \"600000ms\","
      "      \"start_timeout\": \"360000ms\","
      "      \"max_waiting\": 100,"
      "      \"wait_timeout\": \"120000ms\""
      "    },"
      "    \"llama-rocm\": {"
      "      \"provider\": \"llama-cpp\","
      "      \"base_url\": \"http://localhost/v1\","
      "      \"socket\": \"/run/gate/backends/llama-rocm/engine.sock\","
      "      \"agent\": \"/run/gate/backends/llama-rocm/agent.sock\","
      "      \"models\": [\"qwen3-8b-q4_k_m.gguf\"],"
      "      \"start_timeout\": \"360000ms\","
      "      \"max_waiting\": 100,"
      "      \"wait_timeout\": \"120000ms\""
      "    },"
      "    \"llama-vulkan\": {"
      "      \"provider\": \"llama-cpp\","
      "      \"base_url\": \"http://127.0.0.1:18080/v1\","
      "      \"agent\": \"/run/gate/backends/llama-vulkan/agent.sock\","
      "      \"models\": [\"qwen3-8b-q4_k_m.gguf\"],"
      "      \"start_timeout\": \"360000ms\","
      "      \"max_waiting\": 100,"
      "      \"wait_timeout\": \"120000ms\""
      "    },"
      "    \"ollama\": {"
      "      \"provider\": \"ollama\","
      "      \"base_url\": \"http://localhost/v1\","
      "      \"socket\": \"/run/gate/backends/ollama/engine.sock\","
      "      \"agent\": \"/run/gate/backends/ollama/agent.sock\","
      "      \"idle_stop\": \"300000ms\","
      "      \"start_timeout\": \"120000ms\","
      "      \"max_waiting\": 100,"
      "      \"wait_timeout\": \"120000ms\""
      "    },"
      "    \"own\": {"
      "      \"provider\": \"custom\","
      "      \"base_url\": \"http://localhost/v1\","
      "      \"socket\": \"/run/gate/backends/own/engine.sock\","
      "      \"agent\": \"/run/gate/backends/own/agent.sock\","
      "      \"models\": [\"own/model\"],"
      "      \"start_timeout\": \"80000ms\","
      "      \"max_waiting\": 100,"
      "      \"wait_timeout\": \"120000ms\""
      "    },"
      "    \"vllm-amd\": {"
      "      \"provider\": \"vllm\","
      "      \"base_url\": \"http://127.0.0.1:52322/v1\","
      "      \"agent\": \"/run/gate/backends/vllm-amd/agent.sock\","
      "      \"models\": [\"Qwen/Qwen3-8B\"],"
      "      \"start_timeout\": \"660000ms\","
      "      \"max_waiting\": 100,"
      "      \"wait_timeout\": \"120000ms\""
      "    },"
      "    \"vllm-nvidia\": {"
      "      \"provider\": \"vllm\","
      "      \"base_url\": \"http://localhost/v1\","
      "      \"socket\": \"/run/gate/backends/vllm-nvidia/engine.sock\","
      "      \"agent\": \"/run/gate/backends/vllm-nvidia/agent.sock\","
      "      \"models\": [\"Qwen/Qwen3-8B-FP8\"],"
      "      \"start_timeout\": \"660000ms\","
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
    "containers/containers.conf.d/50-gate-cdi.conf".text = lib.concatLines [
      "[engine]"
      "cdi_spec_dirs = [\"/etc/cdi\", \"/var/run/cdi\"]"
    ];
    "gate/user-units/40001/gate-agent.socket".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate agent of this backend"
      ""
      "[Socket]"
      "ListenStream=/run/gate/backends/llama-cpu/agent.sock"
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
      "ExecStart=${gate}/bin/gate-agent --gateway=gate --service=gate-llama-cpu.service --container=gate-llama-cpu --image=ghcr.io/ggml-org/llama.cpp@sha256:204d5240e5a396b132acba1a41dfc6826a5f3c1ab1a55acb2a10a6c6b58c473d --peer=%i"
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
    "gate/user-units/40001/sockets.target.d/gate.conf".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Wants=gate-agent.socket"
    ];
    "gate/user-units/40002/gate-agent.socket".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate agent of this backend"
      ""
      "[Socket]"
      "ListenStream=/run/gate/backends/llama-cuda/agent.sock"
      "SocketMode=0660"
      "# a process for each connection, named after the peer that the kernel reports"
      "Accept=yes"
      "MaxConnections=16"
      "# too many connections are refused, but never stop the socket for good"
      "TriggerLimitIntervalSec=0"
    ];
    "gate/user-units/40002/gate-agent@.service".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate agent of this backend, one connection"
      "CollectMode=inactive-or-failed"
      ""
      "[Service]"
      "# all that it may touch; %i ends in the user id of whoever connected"
      "ExecStart=${gate}/bin/gate-agent --gateway=gate --service=gate-llama-cuda.service --socket=gate-llama-cuda.socket --proxy=gate-llama-cuda-proxy.service --container=gate-llama-cuda --image=ghcr.io/ggml-org/llama.cpp-cuda@sha256:a9f39f5ce04846a513f731724813289d146406ead897aa23ff50fcd0ad434637 --peer=%i"
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
    "gate/user-units/40002/gate-llama-cuda-proxy.service".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Forwards to gate-llama-cuda.service until it is idle"
      "Requires=gate-llama-cuda.socket gate-llama-cuda.service"
      "After=gate-llama-cuda.socket gate-llama-cuda.service"
      ""
      "[Service]"
      "Type=notify"
      "ExecStart=${config.systemd.package}/lib/systemd/systemd-socket-proxyd --connections-max=1024 --exit-idle-time=600s /run/gate/backends/llama-cuda/container/engine.sock"
    ];
    "gate/user-units/40002/gate-llama-cuda.socket".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Wakes gate-llama-cuda-proxy.service"
      ""
      "[Socket]"
      "ListenStream=/run/gate/backends/llama-cuda/engine.sock"
      "SocketMode=0660"
      "Service=gate-llama-cuda-proxy.service"
    ];
    "gate/user-units/40002/sockets.target.d/gate.conf".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Wants=gate-agent.socket gate-llama-cuda.socket"
    ];
    "gate/user-units/40003/gate-agent.socket".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate agent of this backend"
      ""
      "[Socket]"
      "ListenStream=/run/gate/backends/llama-rocm/agent.sock"
      "SocketMode=0660"
      "# a process for each connection, named after the peer that the kernel reports"
      "Accept=yes"
      "MaxConnections=16"
      "# too many connections are refused, but never stop the socket for good"
      "TriggerLimitIntervalSec=0"
    ];
    "gate/user-units/40003/gate-agent@.service".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate agent of this backend, one connection"
      "CollectMode=inactive-or-failed"
      ""
      "[Service]"
      "# all that it may touch; %i ends in the user id of whoever connected"
      "ExecStart=${gate}/bin/gate-agent --gateway=gate --service=gate-llama-rocm.service --container=gate-llama-rocm --image=ghcr.io/ggml-org/llama.cpp-rocm@sha256:9e42096d3f2320e680cd27f8aa18e88796411155676de855ef65b3c3d2e7661e --peer=%i"
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
    "gate/user-units/40003/sockets.target.d/gate.conf".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Wants=gate-agent.socket"
    ];
    "gate/user-units/40004/gate-agent.socket".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate agent of this backend"
      ""
      "[Socket]"
      "ListenStream=/run/gate/backends/llama-vulkan/agent.sock"
      "SocketMode=0660"
      "# a process for each connection, named after the peer that the kernel reports"
      "Accept=yes"
      "MaxConnections=16"
      "# too many connections are refused, but never stop the socket for good"
      "TriggerLimitIntervalSec=0"
    ];
    "gate/user-units/40004/gate-agent@.service".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate agent of this backend, one connection"
      "CollectMode=inactive-or-failed"
      ""
      "[Service]"
      "# all that it may touch; %i ends in the user id of whoever connected"
      "ExecStart=${gate}/bin/gate-agent --gateway=gate --service=gate-llama-vulkan.service --container=gate-llama-vulkan --image=ghcr.io/ggml-org/llama.cpp-vulkan@sha256:b56fbe410ea01f84c8739610ee743c1229b8e321b8ccbf800e96405a6b39056b --peer=%i"
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
    "gate/user-units/40004/sockets.target.d/gate.conf".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Wants=gate-agent.socket"
    ];
    "gate/user-units/40005/gate-agent.socket".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate agent of this backend"
      ""
      "[Socket]"
      "ListenStream=/run/gate/backends/own/agent.sock"
      "SocketMode=0660"
      "# a process for each connection, named after the peer that the kernel reports"
      "Accept=yes"
      "MaxConnections=16"
      "# too many connections are refused, but never stop the socket for good"
      "TriggerLimitIntervalSec=0"
    ];
    "gate/user-units/40005/gate-agent@.service".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate agent of this backend, one connection"
      "CollectMode=inactive-or-failed"
      ""
      "[Service]"
      "# all that it may touch; %i ends in the user id of whoever connected"
      "ExecStart=${gate}/bin/gate-agent --gateway=gate --service=gate-own.service --container=gate-own --image=registry.example.org:5000/team/engine@sha256:419dbb1ae295b2800b98a9a60c07439985b232d8bd6cdeac1a9e1feec0b6499c --peer=%i"
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
    "gate/user-units/40005/sockets.target.d/gate.conf".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Wants=gate-agent.socket"
    ];
    "gate/user-units/40006/gate-agent.socket".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate agent of this backend"
      ""
      "[Socket]"
      "ListenStream=/run/gate/backends/vllm-amd/agent.sock"
      "SocketMode=0660"
      "# a process for each connection, named after the peer that the kernel reports"
      "Accept=yes"
      "MaxConnections=16"
      "# too many connections are refused, but never stop the socket for good"
      "TriggerLimitIntervalSec=0"
    ];
    "gate/user-units/40006/gate-agent@.service".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate agent of this backend, one connection"
      "CollectMode=inactive-or-failed"
      ""
      "[Service]"
      "# all that it may touch; %i ends in the user id of whoever connected"
      "ExecStart=${gate}/bin/gate-agent --gateway=gate --service=gate-vllm-amd.service --container=gate-vllm-amd --image=docker.io/rocm/vllm@sha256:0abbd9ecd09475b1b331e746f93edc1c26ff0dd0a558d4572b246b3b3b03fa7c --peer=%i"
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
    "gate/user-units/40006/sockets.target.d/gate.conf".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Wants=gate-agent.socket"
    ];
    "gate/user-units/40007/gate-agent.socket".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate agent of this backend"
      ""
      "[Socket]"
      "ListenStream=/run/gate/backends/ollama/agent.sock"
      "SocketMode=0660"
      "# a process for each connection, named after the peer that the kernel reports"
      "Accept=yes"
      "MaxConnections=16"
      "# too many connections are refused, but never stop the socket for good"
      "TriggerLimitIntervalSec=0"
    ];
    "gate/user-units/40007/gate-agent@.service".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate agent of this backend, one connection"
      "CollectMode=inactive-or-failed"
      ""
      "[Service]"
      "# all that it may touch; %i ends in the user id of whoever connected"
      "ExecStart=${gate}/bin/gate-agent --gateway=gate --service=gate-ollama.service --socket=gate-ollama.socket --proxy=gate-ollama-proxy.service --container=gate-ollama --image=docker.io/ollama/ollama@sha256:e4759420751e36ac8228af12fbfb9e6de5e9f1b98e88599f3dc92fbf48abac18 --peer=%i"
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
    "gate/user-units/40007/gate-ollama-proxy.service".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Forwards to gate-ollama.service until it is idle"
      "Requires=gate-ollama.socket gate-ollama.service"
      "After=gate-ollama.socket gate-ollama.service"
      ""
      "[Service]"
      "Type=notify"
      "ExecStart=${config.systemd.package}/lib/systemd/systemd-socket-proxyd --connections-max=1024 --exit-idle-time=300s 127.0.0.1:50377"
    ];
    "gate/user-units/40007/gate-ollama.socket".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Wakes gate-ollama-proxy.service"
      ""
      "[Socket]"
      "ListenStream=/run/gate/backends/ollama/engine.sock"
      "SocketMode=0660"
      "Service=gate-ollama-proxy.service"
    ];
    "gate/user-units/40007/sockets.target.d/gate.conf".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Wants=gate-agent.socket gate-ollama.socket"
    ];
    "gate/user-units/40008/gate-agent.socket".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate agent of this backend"
      ""
      "[Socket]"
      "ListenStream=/run/gate/backends/vllm-nvidia/agent.sock"
      "SocketMode=0660"
      "# a process for each connection, named after the peer that the kernel reports"
      "Accept=yes"
      "MaxConnections=16"
      "# too many connections are refused, but never stop the socket for good"
      "TriggerLimitIntervalSec=0"
    ];
    "gate/user-units/40008/gate-agent@.service".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate agent of this backend, one connection"
      "CollectMode=inactive-or-failed"
      ""
      "[Service]"
      "# all that it may touch; %i ends in the user id of whoever connected"
      "ExecStart=${gate}/bin/gate-agent --gateway=gate --service=gate-vllm-nvidia.service --container=gate-vllm-nvidia --image=docker.io/vllm/vllm-openai@sha256:2eb2d84317d6274cb5075cf849e71d90db4f756a3a19d39f261f9705f4749dce --peer=%i"
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
    "gate/user-units/40008/sockets.target.d/gate.conf".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Wants=gate-agent.socket"
    ];
    "gate/user-units/40009/gate-agent.socket".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate agent of this backend"
      ""
      "[Socket]"
      "ListenStream=/run/gate/backends/webui/agent.sock"
      "SocketMode=0660"
      "# a process for each connection, named after the peer that the kernel reports"
      "Accept=yes"
      "MaxConnections=16"
      "# too many connections are refused, but never stop the socket for good"
      "TriggerLimitIntervalSec=0"
    ];
    "gate/user-units/40009/gate-agent@.service".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate agent of this backend, one connection"
      "CollectMode=inactive-or-failed"
      ""
      "[Service]"
      "# all that it may touch; %i ends in the user id of whoever connected"
      "ExecStart=${gate}/bin/gate-agent --gateway=gate --service=gate-webui.service --container=gate-webui --image=ghcr.io/open-webui/open-webui@sha256:789b0ba96cfabdd37dc546518c35b57e755191c06b74b6650205549dae28b89a --peer=%i"
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
    "gate/user-units/40009/sockets.target.d/gate.conf".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Wants=gate-agent.socket"
    ];
    "containers/systemd/users/40001/gate-llama-cpu.container".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate backend llama-cpu"
      "StartLimitIntervalSec=600s"
      "StartLimitBurst=5"
      ""
      "[Container]"
      "Image=ghcr.io/ggml-org/llama.cpp@sha256:204d5240e5a396b132acba1a41dfc6826a5f3c1ab1a55acb2a10a6c6b58c473d"
      "ContainerName=gate-llama-cpu"
      "Pull=never"
      "UserNS=keep-id:uid=1000,gid=1000"
      "DropCapability=all"
      "NoNewPrivileges=true"
      "ReadOnly=true"
      "ReadOnlyTmpfs=true"
      "PidsLimit=256"
      "PodmanArgs=--umask=0007"
      "Network=none"
      "GroupAdd=keep-groups"
      "Volume=/run/gate/backends/llama-cpu/container:/run/engine"
      "Volume=/var/lib/gate/models/qwen3-8b-q4_k_m.gguf:/models/qwen3-8b-q4_k_m.gguf:ro"
      "Exec=--model /models/qwen3-8b-q4_k_m.gguf --alias qwen3-8b-q4_k_m.gguf --host /run/engine/engine.sock"
      "HealthCmd=[\"curl\",\"--fail\",\"--silent\",\"--show-error\",\"--unix-socket\",\"/run/engine/engine.sock\",\"http://localhost/health\"]"
      "HealthInterval=5s"
      "HealthTimeout=5s"
      "HealthRetries=3"
      "HealthStartPeriod=300s"
      "StopTimeout=30"
      "LogDriver=journald"
      "Label=gate.managed=gate"
      "Label=gate.backend=llama-cpu"
      "Notify=healthy"
      ""
      "[Service]"
      "Restart=on-failure"
      "RestartSec=5s"
      "TimeoutStartSec=360s"
      "TimeoutStopSec=45s"
      "CPUQuota=250%"
      "MemoryMax=8589934592"
      ""
      "[Install]"
      "WantedBy=default.target"
    ];
    "containers/systemd/users/40002/gate-llama-cuda.container".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate backend llama-cuda"
      "StartLimitIntervalSec=600s"
      "StartLimitBurst=5"
      "StopWhenUnneeded=yes"
      ""
      "[Container]"
      "Image=ghcr.io/ggml-org/llama.cpp-cuda@sha256:a9f39f5ce04846a513f731724813289d146406ead897aa23ff50fcd0ad434637"
      "ContainerName=gate-llama-cuda"
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
      "Volume=/run/gate/backends/llama-cuda/container:/run/engine"
      "Volume=/var/lib/gate/models/qwen3-8b-q4_k_m.gguf:/models/qwen3-8b-q4_k_m.gguf:ro"
      "Exec=--model /models/qwen3-8b-q4_k_m.gguf --alias qwen3-8b-q4_k_m.gguf --host /run/engine/engine.sock --n-gpu-layers 999"
      "HealthCmd=[\"curl\",\"--fail\",\"--silent\",\"--show-error\",\"--unix-socket\",\"/run/engine/engine.sock\",\"http://localhost/health\"]"
      "HealthInterval=5s"
      "HealthTimeout=5s"
      "HealthRetries=3"
      "HealthStartPeriod=300s"
      "StopTimeout=30"
      "LogDriver=journald"
      "Label=gate.managed=gate"
      "Label=gate.backend=llama-cuda"
      "Notify=healthy"
      ""
      "[Service]"
      "Restart=on-failure"
      "RestartSec=5s"
      "TimeoutStartSec=360s"
      "TimeoutStopSec=45s"
    ];
    "containers/systemd/users/40003/gate-llama-rocm.container".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate backend llama-rocm"
      "StartLimitIntervalSec=600s"
      "StartLimitBurst=5"
      ""
      "[Container]"
      "Image=ghcr.io/ggml-org/llama.cpp-rocm@sha256:9e42096d3f2320e680cd27f8aa18e88796411155676de855ef65b3c3d2e7661e"
      "ContainerName=gate-llama-rocm"
      "Pull=never"
      "UserNS=keep-id:uid=1000,gid=1000"
      "DropCapability=all"
      "NoNewPrivileges=true"
      "ReadOnly=true"
      "ReadOnlyTmpfs=true"
      "PidsLimit=4096"
      "PodmanArgs=--umask=0007"
      "Network=none"
      "AddDevice=/dev/kfd"
      "AddDevice=/dev/dri/renderD128"
      "AddDevice=/dev/dri/card0"
      "GroupAdd=keep-groups"
      "Volume=/run/gate/backends/llama-rocm/container:/run/engine"
      "Volume=/var/lib/gate/models/qwen3-8b-q4_k_m.gguf:/models/qwen3-8b-q4_k_m.gguf:ro"
      "Exec=--model /models/qwen3-8b-q4_k_m.gguf --alias qwen3-8b-q4_k_m.gguf --host /run/engine/engine.sock --n-gpu-layers 999"
      "HealthCmd=[\"curl\",\"--fail\",\"--silent\",\"--show-error\",\"--unix-socket\",\"/run/engine/engine.sock\",\"http://localhost/health\"]"
      "HealthInterval=5s"
      "HealthTimeout=5s"
      "HealthRetries=3"
      "HealthStartPeriod=300s"
      "StopTimeout=30"
      "LogDriver=journald"
      "Label=gate.managed=gate"
      "Label=gate.backend=llama-rocm"
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
    "containers/systemd/users/40004/gate-llama-vulkan.container".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate backend llama-vulkan"
      "StartLimitIntervalSec=600s"
      "StartLimitBurst=5"
      ""
      "[Container]"
      "Image=ghcr.io/ggml-org/llama.cpp-vulkan@sha256:b56fbe410ea01f84c8739610ee743c1229b8e321b8ccbf800e96405a6b39056b"
      "ContainerName=gate-llama-vulkan"
      "Pull=never"
      "UserNS=keep-id:uid=1000,gid=1000"
      "DropCapability=all"
      "NoNewPrivileges=true"
      "ReadOnly=true"
      "ReadOnlyTmpfs=true"
      "PidsLimit=4096"
      "PodmanArgs=--umask=0007"
      "Network=gate-llama-vulkan.network"
      "PublishPort=127.0.0.1:18080:8080"
      "AddDevice=/dev/dri/renderD128"
      "GroupAdd=keep-groups"
      "Volume=/var/lib/gate/models/qwen3-8b-q4_k_m.gguf:/models/qwen3-8b-q4_k_m.gguf:ro"
      "Exec=--model /models/qwen3-8b-q4_k_m.gguf --alias qwen3-8b-q4_k_m.gguf --host 0.0.0.0 --port 8080 --n-gpu-layers 999"
      "EnvironmentFile=/run/gate/secrets/llama-vulkan/environment"
      "HealthCmd=[\"curl\",\"--fail\",\"--silent\",\"--show-error\",\"http://127.0.0.1:8080/health\"]"
      "HealthInterval=5s"
      "HealthTimeout=5s"
      "HealthRetries=3"
      "HealthStartPeriod=300s"
      "StopTimeout=30"
      "LogDriver=journald"
      "Label=gate.managed=gate"
      "Label=gate.backend=llama-vulkan"
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
    "containers/systemd/users/40004/gate-llama-vulkan.network".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Network]"
      "Internal=true"
      "DisableDNS=true"
    ];
    "containers/systemd/users/40005/gate-own-scratch.volume".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Volume]"
      "Label=gate.volume=gate-own-scratch"
    ];
    "containers/systemd/users/40005/gate-own.container".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate backend own"
      "StartLimitIntervalSec=600s"
      "StartLimitBurst=5"
      ""
      "[Container]"
      "Image=registry.example.org:5000/team/engine@sha256:419dbb1ae295b2800b98a9a60c07439985b232d8bd6cdeac1a9e1feec0b6499c"
      "ContainerName=gate-own"
      "Pull=never"
      "UserNS=keep-id:uid=1000,gid=1000"
      "DropCapability=all"
      "NoNewPrivileges=true"
      "ReadOnly=false"
      "PidsLimit=4096"
      "PodmanArgs=--umask=0007"
      "Network=none"
      "GroupAdd=keep-groups"
      "Volume=/run/gate/backends/own/container:/run/engine"
      "Volume=/var/lib/gate/models/own/model:/models/own/model:ro"
      "Volume=gate-own-scratch.volume:/scratch"
      "Exec=--listen /run/engine/engine.sock --model=/models/own/model \"quote \\\" and \\\\ and $$HOME and 100%%\""
      "Environment=\"GREETING=it's 100%% $\${HOME}\""
      "EnvironmentFile=/run/gate/secrets/own/environment"
      "HealthCmd=[\"/bin/check\",\"--socket\",\"/run/engine/engine.sock\"]"
      "HealthInterval=500ms"
      "HealthTimeout=5s"
      "HealthRetries=3"
      "HealthStartPeriod=20s"
      "StopTimeout=30"
      "LogDriver=journald"
      "Label=gate.managed=gate"
      "Label=gate.backend=own"
      "Notify=healthy"
      ""
      "[Service]"
      "Restart=on-failure"
      "RestartSec=5s"
      "TimeoutStartSec=80s"
      "TimeoutStopSec=45s"
      ""
      "[Install]"
      "WantedBy=default.target"
    ];
    "containers/systemd/users/40006/gate-vllm-amd-cache.volume".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Volume]"
      "Label=gate.volume=gate-vllm-amd-cache"
    ];
    "containers/systemd/users/40006/gate-vllm-amd.container".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate backend vllm-amd"
      "StartLimitIntervalSec=600s"
      "StartLimitBurst=5"
      ""
      "[Container]"
      "Image=docker.io/rocm/vllm@sha256:0abbd9ecd09475b1b331e746f93edc1c26ff0dd0a558d4572b246b3b3b03fa7c"
      "ContainerName=gate-vllm-amd"
      "Pull=never"
      "UserNS=keep-id:uid=1000,gid=1000"
      "DropCapability=all"
      "NoNewPrivileges=true"
      "ReadOnly=true"
      "ReadOnlyTmpfs=true"
      "PidsLimit=4096"
      "ShmSize=8589934592"
      "PodmanArgs=--umask=0007"
      "Network=gate-vllm-amd.network"
      "PublishPort=127.0.0.1:52322:8000"
      "AddDevice=/dev/kfd"
      "AddDevice=/dev/dri"
      "GroupAdd=keep-groups"
      "Volume=/var/lib/gate/models/Qwen/Qwen3-8B:/models/Qwen/Qwen3-8B:ro"
      "Volume=gate-vllm-amd-cache.volume:/cache"
      "Entrypoint=vllm"
      "Exec=serve /models/Qwen/Qwen3-8B --served-model-name Qwen/Qwen3-8B --host 0.0.0.0 --port 8000 --max-model-len 8192"
      "Environment=HOME=/cache"
      "Environment=XDG_CACHE_HOME=/cache"
      "Environment=VLLM_NO_USAGE_STATS=1"
      "Environment=HF_HUB_OFFLINE=1"
      "EnvironmentFile=/run/gate/secrets/vllm-amd/environment"
      "HealthCmd=[\"curl\",\"--fail\",\"--silent\",\"--show-error\",\"http://127.0.0.1:8000/health\"]"
      "HealthInterval=5s"
      "HealthTimeout=5s"
      "HealthRetries=3"
      "HealthStartPeriod=600s"
      "StopTimeout=30"
      "LogDriver=journald"
      "Label=gate.managed=gate"
      "Label=gate.backend=vllm-amd"
      "Notify=healthy"
      ""
      "[Service]"
      "Restart=on-failure"
      "RestartSec=5s"
      "TimeoutStartSec=660s"
      "TimeoutStopSec=45s"
      ""
      "[Install]"
      "WantedBy=default.target"
    ];
    "containers/systemd/users/40006/gate-vllm-amd.network".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Network]"
      "Internal=true"
      "DisableDNS=true"
    ];
    "containers/systemd/users/40007/gate-ollama-data.volume".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Volume]"
      "Label=gate.volume=gate-ollama-data"
    ];
    "containers/systemd/users/40007/gate-ollama.container".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate backend ollama"
      "StartLimitIntervalSec=600s"
      "StartLimitBurst=5"
      "StopWhenUnneeded=yes"
      ""
      "[Container]"
      "Image=docker.io/ollama/ollama@sha256:e4759420751e36ac8228af12fbfb9e6de5e9f1b98e88599f3dc92fbf48abac18"
      "ContainerName=gate-ollama"
      "Pull=never"
      "UserNS=keep-id:uid=1000,gid=1000"
      "DropCapability=all"
      "NoNewPrivileges=true"
      "ReadOnly=true"
      "ReadOnlyTmpfs=true"
      "PidsLimit=4096"
      "PodmanArgs=--umask=0007"
      "Network=pasta"
      "PublishPort=127.0.0.1:50377:11434"
      "Volume=gate-ollama-data.volume:/data"
      "Environment=HOME=/data"
      "Environment=OLLAMA_HOST=0.0.0.0:11434"
      "Environment=OLLAMA_MODELS=/data/models"
      "HealthCmd=[\"ollama\",\"list\"]"
      "HealthInterval=5s"
      "HealthTimeout=5s"
      "HealthRetries=3"
      "HealthStartPeriod=60s"
      "StopTimeout=30"
      "LogDriver=journald"
      "Label=gate.managed=gate"
      "Label=gate.backend=ollama"
      "Notify=healthy"
      ""
      "[Service]"
      "Restart=on-failure"
      "RestartSec=5s"
      "TimeoutStartSec=120s"
      "TimeoutStopSec=45s"
    ];
    "containers/systemd/users/40008/gate-vllm-nvidia-cache.volume".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Volume]"
      "Label=gate.volume=gate-vllm-nvidia-cache"
    ];
    "containers/systemd/users/40008/gate-vllm-nvidia.container".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate backend vllm-nvidia"
      "StartLimitIntervalSec=600s"
      "StartLimitBurst=5"
      ""
      "[Container]"
      "Image=docker.io/vllm/vllm-openai@sha256:2eb2d84317d6274cb5075cf849e71d90db4f756a3a19d39f261f9705f4749dce"
      "ContainerName=gate-vllm-nvidia"
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
      "AddDevice=nvidia.com/gpu=0"
      "AddDevice=nvidia.com/gpu=1"
      "GroupAdd=keep-groups"
      "Volume=/run/gate/backends/vllm-nvidia/container:/run/engine"
      "Volume=/var/lib/gate/models/Qwen/Qwen3-8B-FP8:/models/Qwen/Qwen3-8B-FP8:ro"
      "Volume=gate-vllm-nvidia-cache.volume:/cache"
      "Entrypoint=vllm"
      "Exec=serve /models/Qwen/Qwen3-8B-FP8 --served-model-name Qwen/Qwen3-8B-FP8 --uds /run/engine/engine.sock --tensor-parallel-size 2"
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
      "Label=gate.backend=vllm-nvidia"
      "Notify=healthy"
      ""
      "[Service]"
      "Restart=on-failure"
      "RestartSec=5s"
      "TimeoutStartSec=660s"
      "TimeoutStopSec=45s"
      ""
      "[Install]"
      "WantedBy=default.target"
    ];
    "containers/systemd/users/40009/gate-webui-data.volume".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Volume]"
      "Label=gate.volume=gate-webui-data"
    ];
    "containers/systemd/users/40009/gate-webui.container".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Gate backend webui"
      "StartLimitIntervalSec=600s"
      "StartLimitBurst=5"
      ""
      "[Container]"
      "Image=ghcr.io/open-webui/open-webui@sha256:789b0ba96cfabdd37dc546518c35b57e755191c06b74b6650205549dae28b89a"
      "ContainerName=gate-webui"
      "Pull=never"
      "UserNS=keep-id:uid=1000,gid=1000"
      "DropCapability=all"
      "NoNewPrivileges=true"
      "ReadOnly=true"
      "ReadOnlyTmpfs=true"
      "PidsLimit=4096"
      "PodmanArgs=--umask=0007"
      "Network=pasta:-T,3000"
      "PublishPort=127.0.0.1:49512:8080"
      "Volume=gate-webui-data.volume:/app/backend/data"
      "Environment=ENABLE_OLLAMA_API=false"
      "Environment=HOME=/app/backend/data"
      "Environment=OPENAI_API_BASE_URL=http://127.0.0.1:3000/v1"
      "Environment=PORT=8080"
      "Environment=STATIC_DIR=/app/backend/data/static"
      "HealthCmd=[\"curl\",\"--fail\",\"--silent\",\"--show-error\",\"http://127.0.0.1:8080/health\"]"
      "HealthInterval=5s"
      "HealthTimeout=5s"
      "HealthRetries=3"
      "HealthStartPeriod=180s"
      "StopTimeout=30"
      "LogDriver=journald"
      "Label=gate.managed=gate"
      "Label=gate.backend=webui"
      "Notify=healthy"
      ""
      "[Service]"
      "Restart=on-failure"
      "RestartSec=5s"
      "TimeoutStartSec=240s"
      "TimeoutStopSec=45s"
      ""
      "[Install]"
      "WantedBy=default.target"
    ];
  };
  hardware.nvidia-container-toolkit.enable = true;
  systemd.services = {
    gate-daemon = {
      unitConfig = {
        Description = "Gate, a private AI gateway";
        Documentation = "file://${gate}/share/doc/gate/install-systemd.md";
        Requires = "gate-daemon.socket gate-daemon-admin.socket";
        Wants = "gate-secrets.service";
        After = "gate-daemon.socket gate-daemon-admin.socket network.target nss-lookup.target gate-secrets.service";
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
        LoadCredential = [
          "backends.llama-vulkan.api_key:/var/lib/gate-deploy/secrets/backends.llama-vulkan.api_key"
          "backends.vllm-amd.api_key:/var/lib/gate-deploy/secrets/backends.vllm-amd.api_key"
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
      reloadTriggers = [ (config.environment.etc."gate/declared.json".source) ];
      stopIfChanged = false;
    };
    gate-llama-vulkan-secrets = {
      unitConfig = {
        Description = "Gate: secrets of gate-llama-vulkan";
        Requires = "gate-secrets.service";
        After = "gate-secrets.service";
      };
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = "yes";
        ExecStart = "/bin/sh -euc \"umask 0077; cd \\\"$$CREDENTIALS_DIRECTORY\\\"; for name in *; do value=; IFS= read -r value <\\\"$$name\\\" || [ -n \\\"$$value\\\" ]; printf '%%s=%%s\\\\n' \\\"$$name\\\" \\\"$$value\\\"; done >\\\"$$1.new\\\"; chgrp \\\"$$2\\\" \\\"$$1.new\\\"; chmod 0440 \\\"$$1.new\\\"; mv \\\"$$1.new\\\" \\\"$$1\\\"\" sh /run/gate/secrets/llama-vulkan/environment gate-llama-vulkan";
        LoadCredential = "LLAMA_API_KEY:/var/lib/gate-deploy/secrets/backends.llama-vulkan.api_key";
        ReadWritePaths = "/run/gate/secrets/llama-vulkan";
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
    gate-own-secrets = {
      unitConfig = {
        Description = "Gate: secrets of gate-own";
      };
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = "yes";
        ExecStart = "/bin/sh -euc \"umask 0077; cd \\\"$$CREDENTIALS_DIRECTORY\\\"; for name in *; do value=; IFS= read -r value <\\\"$$name\\\" || [ -n \\\"$$value\\\" ]; printf '%%s=%%s\\\\n' \\\"$$name\\\" \\\"$$value\\\"; done >\\\"$$1.new\\\"; chgrp \\\"$$2\\\" \\\"$$1.new\\\"; chmod 0440 \\\"$$1.new\\\"; mv \\\"$$1.new\\\" \\\"$$1\\\"\" sh /run/gate/secrets/own/environment gate-own";
        ReadWritePaths = "/run/gate/secrets/own";
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
    gate-secrets = {
      unitConfig = {
        Description = "Gate: secrets that are made once and kept";
      };
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = "yes";
        ExecStart = "/bin/sh -euc \"umask 0077; mkdir -p \\\"$$1\\\"; cd \\\"$$1\\\"; shift; for name; do [ -s \\\"$$name\\\" ] || { head -c 32 /dev/urandom | base64 -w 0 >\\\"$$name.new\\\"; mv \\\"$$name.new\\\" \\\"$$name\\\"; }; done\" sh /var/lib/gate-deploy/secrets backends.llama-vulkan.api_key backends.vllm-amd.api_key";
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
    gate-vllm-amd-secrets = {
      unitConfig = {
        Description = "Gate: secrets of gate-vllm-amd";
        Requires = "gate-secrets.service";
        After = "gate-secrets.service";
      };
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = "yes";
        ExecStart = "/bin/sh -euc \"umask 0077; cd \\\"$$CREDENTIALS_DIRECTORY\\\"; for name in *; do value=; IFS= read -r value <\\\"$$name\\\" || [ -n \\\"$$value\\\" ]; printf '%%s=%%s\\\\n' \\\"$$name\\\" \\\"$$value\\\"; done >\\\"$$1.new\\\"; chgrp \\\"$$2\\\" \\\"$$1.new\\\"; chmod 0440 \\\"$$1.new\\\"; mv \\\"$$1.new\\\" \\\"$$1\\\"\" sh /run/gate/secrets/vllm-amd/environment gate-vllm-amd";
        LoadCredential = "VLLM_API_KEY:/var/lib/gate-deploy/secrets/backends.vllm-amd.api_key";
        ReadWritePaths = "/run/gate/secrets/vllm-amd";
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
    "user@40001" = {
      overrideStrategy = "asDropin";
      enableDefaultPath = false;
      serviceConfig = {
        Environment = "XDG_CONFIG_HOME=/var/lib/gate-backends/llama-cpu/.config";
      };
      restartIfChanged = false;
    };
    "user@40002" = {
      overrideStrategy = "asDropin";
      enableDefaultPath = false;
      serviceConfig = {
        Environment = "XDG_CONFIG_HOME=/var/lib/gate-backends/llama-cuda/.config";
      };
      restartIfChanged = false;
    };
    "user@40003" = {
      overrideStrategy = "asDropin";
      enableDefaultPath = false;
      serviceConfig = {
        Environment = "XDG_CONFIG_HOME=/var/lib/gate-backends/llama-rocm/.config";
      };
      restartIfChanged = false;
    };
    "user@40004" = {
      overrideStrategy = "asDropin";
      enableDefaultPath = false;
      unitConfig = {
        Wants = "gate-llama-vulkan-secrets.service";
        After = "gate-llama-vulkan-secrets.service";
      };
      serviceConfig = {
        Environment = "XDG_CONFIG_HOME=/var/lib/gate-backends/llama-vulkan/.config";
      };
      restartIfChanged = false;
    };
    "user@40005" = {
      overrideStrategy = "asDropin";
      enableDefaultPath = false;
      unitConfig = {
        Wants = "gate-own-secrets.service";
        After = "gate-own-secrets.service";
      };
      serviceConfig = {
        Environment = "XDG_CONFIG_HOME=/var/lib/gate-backends/own/.config";
      };
      restartIfChanged = false;
    };
    "user@40006" = {
      overrideStrategy = "asDropin";
      enableDefaultPath = false;
      unitConfig = {
        Wants = "gate-vllm-amd-secrets.service";
        After = "gate-vllm-amd-secrets.service";
      };
      serviceConfig = {
        Environment = "XDG_CONFIG_HOME=/var/lib/gate-backends/vllm-amd/.config";
      };
      restartIfChanged = false;
    };
    "user@40007" = {
      overrideStrategy = "asDropin";
      enableDefaultPath = false;
      serviceConfig = {
        Environment = "XDG_CONFIG_HOME=/var/lib/gate-backends/ollama/.config";
      };
      restartIfChanged = false;
    };
    "user@40008" = {
      overrideStrategy = "asDropin";
      enableDefaultPath = false;
      serviceConfig = {
        Environment = "XDG_CONFIG_HOME=/var/lib/gate-backends/vllm-nvidia/.config";
      };
      restartIfChanged = false;
    };
    "user@40009" = {
      overrideStrategy = "asDropin";
      enableDefaultPath = false;
      serviceConfig = {
        Environment = "XDG_CONFIG_HOME=/var/lib/gate-backends/webui/.config";
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
    "d /run/gate/backends/llama-cpu 02750 gate-llama-cpu gate -"
    "d /run/gate/backends/llama-cpu/container 02750 gate-llama-cpu gate -"
    "d /var/lib/gate-backends/llama-cpu 0755 root root -"
    "d /var/lib/gate-backends/llama-cpu/.config 0755 root root -"
    "d /var/lib/gate-backends/llama-cpu/.config/systemd 0755 root root -"
    "d /var/lib/gate-backends/llama-cpu/.cache 0700 gate-llama-cpu gate-llama-cpu -"
    "d /var/lib/gate-backends/llama-cpu/.local 0700 gate-llama-cpu gate-llama-cpu -"
    "d /run/gate/backends/llama-cuda 02750 gate-llama-cuda gate -"
    "d /run/gate/backends/llama-cuda/container 02750 gate-llama-cuda gate -"
    "d /var/lib/gate-backends/llama-cuda 0755 root root -"
    "d /var/lib/gate-backends/llama-cuda/.config 0755 root root -"
    "d /var/lib/gate-backends/llama-cuda/.config/systemd 0755 root root -"
    "d /var/lib/gate-backends/llama-cuda/.cache 0700 gate-llama-cuda gate-llama-cuda -"
    "d /var/lib/gate-backends/llama-cuda/.local 0700 gate-llama-cuda gate-llama-cuda -"
    "d /run/gate/backends/llama-rocm 02750 gate-llama-rocm gate -"
    "d /run/gate/backends/llama-rocm/container 02750 gate-llama-rocm gate -"
    "d /var/lib/gate-backends/llama-rocm 0755 root root -"
    "d /var/lib/gate-backends/llama-rocm/.config 0755 root root -"
    "d /var/lib/gate-backends/llama-rocm/.config/systemd 0755 root root -"
    "d /var/lib/gate-backends/llama-rocm/.cache 0700 gate-llama-rocm gate-llama-rocm -"
    "d /var/lib/gate-backends/llama-rocm/.local 0700 gate-llama-rocm gate-llama-rocm -"
    "d /run/gate/backends/llama-vulkan 02750 gate-llama-vulkan gate -"
    "d /run/gate/backends/llama-vulkan/container 02750 gate-llama-vulkan gate -"
    "d /var/lib/gate-backends/llama-vulkan 0755 root root -"
    "d /var/lib/gate-backends/llama-vulkan/.config 0755 root root -"
    "d /var/lib/gate-backends/llama-vulkan/.config/systemd 0755 root root -"
    "d /var/lib/gate-backends/llama-vulkan/.cache 0700 gate-llama-vulkan gate-llama-vulkan -"
    "d /var/lib/gate-backends/llama-vulkan/.local 0700 gate-llama-vulkan gate-llama-vulkan -"
    "d /run/gate/secrets/llama-vulkan 0750 root gate-llama-vulkan -"
    "d /run/gate/backends/ollama 02750 gate-ollama gate -"
    "d /run/gate/backends/ollama/container 02750 gate-ollama gate -"
    "d /var/lib/gate-backends/ollama 0755 root root -"
    "d /var/lib/gate-backends/ollama/.config 0755 root root -"
    "d /var/lib/gate-backends/ollama/.config/systemd 0755 root root -"
    "d /var/lib/gate-backends/ollama/.cache 0700 gate-ollama gate-ollama -"
    "d /var/lib/gate-backends/ollama/.local 0700 gate-ollama gate-ollama -"
    "d /run/gate/backends/own 02750 gate-own gate -"
    "d /run/gate/backends/own/container 02750 gate-own gate -"
    "d /var/lib/gate-backends/own 0755 root root -"
    "d /var/lib/gate-backends/own/.config 0755 root root -"
    "d /var/lib/gate-backends/own/.config/systemd 0755 root root -"
    "d /var/lib/gate-backends/own/.cache 0700 gate-own gate-own -"
    "d /var/lib/gate-backends/own/.local 0700 gate-own gate-own -"
    "d /run/gate/secrets/own 0750 root gate-own -"
    "d /run/gate/backends/vllm-amd 02750 gate-vllm-amd gate -"
    "d /run/gate/backends/vllm-amd/container 02750 gate-vllm-amd gate -"
    "d /var/lib/gate-backends/vllm-amd 0755 root root -"
    "d /var/lib/gate-backends/vllm-amd/.config 0755 root root -"
    "d /var/lib/gate-backends/vllm-amd/.config/systemd 0755 root root -"
    "d /var/lib/gate-backends/vllm-amd/.cache 0700 gate-vllm-amd gate-vllm-amd -"
    "d /var/lib/gate-backends/vllm-amd/.local 0700 gate-vllm-amd gate-vllm-amd -"
    "d /run/gate/secrets/vllm-amd 0750 root gate-vllm-amd -"
    "d /run/gate/backends/vllm-nvidia 02750 gate-vllm-nvidia gate -"
    "d /run/gate/backends/vllm-nvidia/container 02750 gate-vllm-nvidia gate -"
    "d /var/lib/gate-backends/vllm-nvidia 0755 root root -"
    "d /var/lib/gate-backends/vllm-nvidia/.config 0755 root root -"
    "d /var/lib/gate-backends/vllm-nvidia/.config/systemd 0755 root root -"
    "d /var/lib/gate-backends/vllm-nvidia/.cache 0700 gate-vllm-nvidia gate-vllm-nvidia -"
    "d /var/lib/gate-backends/vllm-nvidia/.local 0700 gate-vllm-nvidia gate-vllm-nvidia -"
    "d /run/gate/backends/webui 02750 gate-webui gate -"
    "d /run/gate/backends/webui/container 02750 gate-webui gate -"
    "d /var/lib/gate-backends/webui 0755 root root -"
    "d /var/lib/gate-backends/webui/.config 0755 root root -"
    "d /var/lib/gate-backends/webui/.config/systemd 0755 root root -"
    "d /var/lib/gate-backends/webui/.cache 0700 gate-webui gate-webui -"
    "d /var/lib/gate-backends/webui/.local 0700 gate-webui gate-webui -"
    "L+ /run/gate/backends/llama-cpu/engine.sock - - - - /run/gate/backends/llama-cpu/container/engine.sock"
    "L+ /run/gate/backends/llama-rocm/engine.sock - - - - /run/gate/backends/llama-rocm/container/engine.sock"
    "L+ /run/gate/backends/own/engine.sock - - - - /run/gate/backends/own/container/engine.sock"
    "L+ /run/gate/backends/vllm-nvidia/engine.sock - - - - /run/gate/backends/vllm-nvidia/container/engine.sock"
    "L+ /var/lib/gate-backends/llama-cpu/.config/systemd/user - - - - /etc/gate/user-units/40001"
    "L+ /var/lib/gate-backends/llama-cuda/.config/systemd/user - - - - /etc/gate/user-units/40002"
    "L+ /var/lib/gate-backends/llama-rocm/.config/systemd/user - - - - /etc/gate/user-units/40003"
    "L+ /var/lib/gate-backends/llama-vulkan/.config/systemd/user - - - - /etc/gate/user-units/40004"
    "L+ /var/lib/gate-backends/ollama/.config/systemd/user - - - - /etc/gate/user-units/40007"
    "L+ /var/lib/gate-backends/own/.config/systemd/user - - - - /etc/gate/user-units/40005"
    "L+ /var/lib/gate-backends/vllm-amd/.config/systemd/user - - - - /etc/gate/user-units/40006"
    "L+ /var/lib/gate-backends/vllm-nvidia/.config/systemd/user - - - - /etc/gate/user-units/40008"
    "L+ /var/lib/gate-backends/webui/.config/systemd/user - - - - /etc/gate/user-units/40009"
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
    gate-llama-cpu = {
      gid = 40001;
    };
    gate-llama-cuda = {
      gid = 40002;
    };
    gate-llama-rocm = {
      gid = 40003;
    };
    gate-llama-vulkan = {
      gid = 40004;
    };
    gate-ollama = {
      gid = 40007;
    };
    gate-own = {
      gid = 40005;
    };
    gate-vllm-amd = {
      gid = 40006;
    };
    gate-vllm-nvidia = {
      gid = 40008;
    };
    gate-webui = {
      gid = 40009;
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
    gate-llama-cpu = {
      isSystemUser = true;
      uid = 40001;
      group = "gate-llama-cpu";
      extraGroups = [ "gate-models" ];
      description = "Gate backend llama-cpu";
      home = "/var/lib/gate-backends/llama-cpu";
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
    gate-llama-cuda = {
      isSystemUser = true;
      uid = 40002;
      group = "gate-llama-cuda";
      extraGroups = [ "gate-models" ];
      description = "Gate backend llama-cuda";
      home = "/var/lib/gate-backends/llama-cuda";
      linger = true;
      subUidRanges = [
        {
          startUid = 537001984;
          count = 65536;
        }
      ];
      subGidRanges = [
        {
          startGid = 537001984;
          count = 65536;
        }
      ];
    };
    gate-llama-rocm = {
      isSystemUser = true;
      uid = 40003;
      group = "gate-llama-rocm";
      extraGroups = [ "gate-models" "render" "video" ];
      description = "Gate backend llama-rocm";
      home = "/var/lib/gate-backends/llama-rocm";
      linger = true;
      subUidRanges = [
        {
          startUid = 537067520;
          count = 65536;
        }
      ];
      subGidRanges = [
        {
          startGid = 537067520;
          count = 65536;
        }
      ];
    };
    gate-llama-vulkan = {
      isSystemUser = true;
      uid = 40004;
      group = "gate-llama-vulkan";
      extraGroups = [ "gate-models" "render" "video" ];
      description = "Gate backend llama-vulkan";
      home = "/var/lib/gate-backends/llama-vulkan";
      linger = true;
      subUidRanges = [
        {
          startUid = 537133056;
          count = 65536;
        }
      ];
      subGidRanges = [
        {
          startGid = 537133056;
          count = 65536;
        }
      ];
    };
    gate-ollama = {
      isSystemUser = true;
      uid = 40007;
      group = "gate-ollama";
      description = "Gate backend ollama";
      home = "/var/lib/gate-backends/ollama";
      linger = true;
      subUidRanges = [
        {
          startUid = 537329664;
          count = 65536;
        }
      ];
      subGidRanges = [
        {
          startGid = 537329664;
          count = 65536;
        }
      ];
    };
    gate-own = {
      isSystemUser = true;
      uid = 40005;
      group = "gate-own";
      extraGroups = [ "gate-models" ];
      description = "Gate backend own";
      home = "/var/lib/gate-backends/own";
      linger = true;
      subUidRanges = [
        {
          startUid = 537198592;
          count = 65536;
        }
      ];
      subGidRanges = [
        {
          startGid = 537198592;
          count = 65536;
        }
      ];
    };
    gate-vllm-amd = {
      isSystemUser = true;
      uid = 40006;
      group = "gate-vllm-amd";
      extraGroups = [ "gate-models" "render" "video" ];
      description = "Gate backend vllm-amd";
      home = "/var/lib/gate-backends/vllm-amd";
      linger = true;
      subUidRanges = [
        {
          startUid = 537264128;
          count = 65536;
        }
      ];
      subGidRanges = [
        {
          startGid = 537264128;
          count = 65536;
        }
      ];
    };
    gate-vllm-nvidia = {
      isSystemUser = true;
      uid = 40008;
      group = "gate-vllm-nvidia";
      extraGroups = [ "gate-models" ];
      description = "Gate backend vllm-nvidia";
      home = "/var/lib/gate-backends/vllm-nvidia";
      linger = true;
      subUidRanges = [
        {
          startUid = 537395200;
          count = 65536;
        }
      ];
      subGidRanges = [
        {
          startGid = 537395200;
          count = 65536;
        }
      ];
    };
    gate-webui = {
      isSystemUser = true;
      uid = 40009;
      group = "gate-webui";
      description = "Gate backend webui";
      home = "/var/lib/gate-backends/webui";
      linger = true;
      subUidRanges = [
        {
          startUid = 537460736;
          count = 65536;
        }
      ];
      subGidRanges = [
        {
          startGid = 537460736;
          count = 65536;
        }
      ];
    };
  };
  virtualisation.podman.enable = true;
}

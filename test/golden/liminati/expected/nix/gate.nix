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
      "    \"trusted_proxies\": [\"127.0.0.0/8\",\"::1/128\"],"
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
      "    \"qwen\": {"
      "      \"provider\": \"vllm\","
      "      \"base_url\": \"http://localhost/v1\","
      "      \"socket\": \"/run/gate/backends/qwen/engine.sock\","
      "      \"agent\": \"/run/gate/backends/qwen/agent.sock\","
      "      \"models\": [\"Qwen/Qwen3-8B-FP8\"],"
      "      \"idle_stop\": \"1800000ms\","
      "      \"start_timeout\": \"660000ms\","
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
    "gate/client/install-client.sh".text = lib.concatLines [
      "#!/bin/sh"
      "# Made by gatectl from the spec. Usage: sh install-client.sh ADDRESS [--yes | --uninstall]; --help says more."
      "NAME='gate-liminati.internal'"
      "DOMAIN='liminati.internal'"
      "DNS_PORT='53'"
      "HAS_CA='yes'"
      "PORT='8081'"
      "CA_FILE='ca.crt'"
      "set -eu"
      ""
      "usage() {"
      "    echo \"usage: install-client.sh ADDRESS [--yes] [--ca FILE] [--sha256 SUM]\""
      "    echo \"       install-client.sh --uninstall [--yes]\""
      "    echo \"ADDRESS is the IP address of the gateway. --ca takes the CA from a file instead of downloading it;\""
      "    echo \"--sha256 refuses any other CA; --yes does not ask. From a pipe: sh -s ADDRESS, or sh -s -- --uninstall.\""
      "}"
      ""
      "fail() {"
      "    echo \"install-client: $*\" >&2"
      "    exit 1"
      "}"
      ""
      "main() {"
      "    root=\${GATE_ROOT:-}"
      "    yes=no uninstall=no server='' ca='' sum=''"
      "    while [ $# -gt 0 ]; do"
      "        case $1 in"
      "            --yes | -y) yes=yes ;;"
      "            --uninstall) uninstall=yes ;;"
      "            --ca) [ $# -gt 1 ] || fail \"--ca needs a file\"; ca=$2; shift ;;"
      "            --sha256) [ $# -gt 1 ] || fail \"--sha256 needs a checksum\"; sum=$2; shift ;;"
      "            --help | -h) usage; return 0 ;;"
      "            -*) usage >&2; fail \"unknown option $1\" ;;"
      "            *) [ -z \"$server\" ] || fail \"one address only\"; server=$1 ;;"
      "        esac"
      "        shift"
      "    done"
      "    find_places"
      "    if [ -f \"$0\" ] && grep -q '^find_places() {' \"$0\"; then echo \"This installer: SHA-256 $(sha256 \"$0\")\"; fi"
      "    if [ \"$uninstall\" = yes ]; then"
      "        remove_all"
      "    else"
      "        install_all"
      "    fi"
      "}"
      ""
      "# Where this machine keeps trusted CAs, and who resolves names on it."
      "find_places() {"
      "    trust=none dns=none"
      "    if [ \"$(uname -s)\" = Darwin ]; then"
      "        trust=macos dns=macos"
      "        anchor=\"$root/Library/Application Support/$NAME/ca.crt\""
      "        rules=\"$root/etc/resolver/$DOMAIN\""
      "        return 0"
      "    fi"
      "    if [ -d \"$root/etc/pki/ca-trust/source/anchors\" ]; then"
      "        trust=fedora anchor=\"$root/etc/pki/ca-trust/source/anchors/$NAME.crt\""
      "    elif [ -d \"$root/etc/ca-certificates/trust-source/anchors\" ]; then"
      "        trust=arch anchor=\"$root/etc/ca-certificates/trust-source/anchors/$NAME.crt\""
      "    elif command -v update-ca-certificates >/dev/null; then"
      "        trust=debian anchor=\"$root/usr/local/share/ca-certificates/$NAME.crt\""
      "    fi"
      "    if [ -d \"$root/run/systemd/resolve\" ]; then"
      "        dns=resolved rules=\"$root/etc/systemd/resolved.conf.d/$NAME.conf\""
      "    elif [ -d \"$root/etc/NetworkManager\" ] && command -v dnsmasq >/dev/null; then"
      "        dns=networkmanager rules=\"$root/etc/NetworkManager/dnsmasq.d/$NAME.conf\""
      "        plugin=\"$root/etc/NetworkManager/conf.d/$NAME.conf\""
      "    fi"
      "}"
      ""
      "install_all() {"
      "    case $server in"
      "        '') usage >&2; fail \"which address has the gateway?\" ;;"
      "        *[!0-9a-fA-F.:]*) fail \"no IP address: $server\" ;;"
      "        *.* | *:*) ;;"
      "        *) fail \"no IP address: $server\" ;;"
      "    esac"
      "    work=$(mktemp -d)"
      "    trap 'rm -rf \"$work\"' EXIT"
      "    if [ \"$HAS_CA\" = yes ]; then"
      "        [ \"$trust\" != none ] || fail \"no trust store known here: import the CA by hand\""
      "        fetch_ca"
      "        echo \"CA: SHA-256 $(sha256 \"$work/ca.crt\")\""
      "        echo \"    compare it with the sum of the file on the gateway: whoever holds its key can pose as any site\""
      "        echo \"will write $anchor\""
      "    fi"
      "    if [ -n \"$DOMAIN\" ]; then"
      "        [ \"$dns\" != none ] || fail \"neither systemd-resolved nor NetworkManager with dnsmasq: add the name server by hand\""
      "        echo \"will ask $server for names below $DOMAIN, by $rules\""
      "    fi"
      "    confirm"
      "    if [ \"$HAS_CA\" = yes ]; then"
      "        put \"$anchor\" <\"$work/ca.crt\""
      "        reload_trust add"
      "    fi"
      "    if [ -n \"$DOMAIN\" ]; then"
      "        write_rules"
      "        reload_dns"
      "    fi"
      "    echo \"done; --uninstall takes it back\""
      "}"
      ""
      "fetch_ca() {"
      "    if [ -n \"$ca\" ]; then"
      "        cat <\"$ca\" >\"$work/ca.crt\""
      "    else"
      "        [ -n \"$PORT\" ] || fail \"the gateway hands out no CA: give one with --ca FILE\""
      "        case $server in *:*) host=\"[$server]\" ;; *) host=$server ;; esac"
      "        if command -v curl >/dev/null; then"
      "            curl -fsS -g --max-time 30 -o \"$work/ca.crt\" \"http://$host:$PORT/$CA_FILE\""
      "        elif command -v wget >/dev/null; then"
      "            wget -q -T 30 -O \"$work/ca.crt\" \"http://$host:$PORT/$CA_FILE\""
      "        else"
      "            fail \"needs curl or wget\""
      "        fi"
      "    fi"
      "    grep -q -e '-----BEGIN CERTIFICATE-----' \"$work/ca.crt\" || fail \"what came is no certificate\""
      "    if grep -q 'PRIVATE KEY' \"$work/ca.crt\"; then fail \"what came holds a private key\"; fi"
      "    [ -z \"$sum\" ] || [ \"$sum\" = \"$(sha256 \"$work/ca.crt\")\" ] || fail \"the CA is not the one with the SHA-256 $sum\""
      "}"
      ""
      "write_rules() {"
      "    case $dns in"
      "        resolved)"
      "            port=''"
      "            [ \"$DNS_PORT\" = 53 ] || port=\":$DNS_PORT\""
      "            case $server$port in *:*:*:[0-9]*) [ -z \"$port\" ] || server=\"[$server]\" ;; esac"
      "            printf '[Resolve]\\nDNS=%s%s\\nDomains=~%s\\n' \"$server\" \"$port\" \"$DOMAIN\" | put \"$rules\""
      "            ;;"
      "        networkmanager)"
      "            printf 'server=/%s/%s#%s\\n' \"$DOMAIN\" \"$server\" \"$DNS_PORT\" | put \"$rules\""
      "            printf '[main]\\ndns=dnsmasq\\n' | put \"$plugin\""
      "            ;;"
      "        macos) printf 'nameserver %s\\nport %s\\n' \"$server\" \"$DNS_PORT\" | put \"$rules\" ;;"
      "    esac"
      "}"
      ""
      "remove_all() {"
      "    echo \"will remove what was installed for $NAME\""
      "    confirm"
      "    if [ \"$HAS_CA\" = yes ] && [ \"$trust\" != none ] && [ -f \"$anchor\" ]; then"
      "        [ \"$trust\" != macos ] || reload_trust remove"
      "        as_root rm -f \"$anchor\""
      "        [ \"$trust\" = macos ] || reload_trust remove"
      "    fi"
      "    if [ -n \"$DOMAIN\" ] && [ \"$dns\" != none ]; then"
      "        as_root rm -f \"$rules\""
      "        [ \"$dns\" != networkmanager ] || as_root rm -f \"$plugin\""
      "        reload_dns"
      "    fi"
      "    echo \"removed\""
      "}"
      ""
      "reload_trust() {"
      "    case $trust-$1 in"
      "        debian-add) as_root update-ca-certificates ;;"
      "        debian-remove) as_root update-ca-certificates --fresh ;;"
      "        fedora-*) as_root update-ca-trust extract ;;"
      "        arch-*) as_root update-ca-trust ;;"
      "        macos-add) as_root security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain \"$anchor\" ;;"
      "        macos-remove) as_root security remove-trusted-cert -d \"$anchor\" ;;"
      "    esac"
      "}"
      ""
      "reload_dns() {"
      "    case $dns in"
      "        resolved) as_root systemctl restart systemd-resolved ;;"
      "        networkmanager) as_root systemctl reload NetworkManager ;;"
      "        macos) as_root dscacheutil -flushcache ;;"
      "    esac"
      "}"
      ""
      "# The script itself may come from standard input, so the answer comes from the terminal."
      "confirm() {"
      "    [ \"$yes\" = no ] || return 0"
      "    if ! (: </dev/tty) 2>/dev/null; then fail \"no terminal to ask on: look at what it will do, then add --yes\"; fi"
      "    printf 'go on? [y/N] ' >/dev/tty"
      "    read -r answer </dev/tty || answer=n"
      "    case $answer in [yY]*) ;; *) fail \"nothing was changed\" ;; esac"
      "}"
      ""
      "# Writes standard input to a file, whole or not at all."
      "put() {"
      "    as_root mkdir -p \"$(dirname \"$1\")\""
      "    as_root tee \"$1.new\" >/dev/null"
      "    as_root chmod 644 \"$1.new\""
      "    as_root mv \"$1.new\" \"$1\""
      "}"
      ""
      "as_root() {"
      "    if [ -n \"$root\" ] || [ \"$(id -u)\" = 0 ]; then \"$@\"; else sudo \"$@\"; fi"
      "}"
      ""
      "sha256() {"
      "    if command -v sha256sum >/dev/null; then sha256sum <\"$1\" | cut -d ' ' -f 1; else shasum -a 256 <\"$1\" | cut -d ' ' -f 1; fi"
      "}"
      ""
      "main \"$@\""
    ];
    "gate/client/install-client.sh.sha256".text = lib.concatLines [
      "d22e4333e8bf3b358344eb16a338619941a52f64cc68732df2f49c40da7e334a  install-client.sh"
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
      "ListenStream=/run/gate/backends/qwen/agent.sock"
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
      "ExecStart=${gate}/bin/gate-agent --gateway=gate --service=gate-qwen.service --socket=gate-qwen.socket --proxy=gate-qwen-proxy.service --container=gate-qwen --image=docker.io/vllm/vllm-openai@sha256:2eb2d84317d6274cb5075cf849e71d90db4f756a3a19d39f261f9705f4749dce --peer=%i"
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
    "gate/user-units/40000/gate-qwen-proxy.service".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Forwards to gate-qwen.service until it is idle"
      "Requires=gate-qwen.socket gate-qwen.service"
      "After=gate-qwen.socket gate-qwen.service"
      ""
      "[Service]"
      "Type=notify"
      "ExecStart=${config.systemd.package}/lib/systemd/systemd-socket-proxyd --connections-max=1024 --exit-idle-time=1800s /run/gate/backends/qwen/container/engine.sock"
    ];
    "gate/user-units/40000/gate-qwen.socket".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Description=Wakes gate-qwen-proxy.service"
      ""
      "[Socket]"
      "ListenStream=/run/gate/backends/qwen/engine.sock"
      "SocketMode=0660"
      "Service=gate-qwen-proxy.service"
    ];
    "gate/user-units/40000/sockets.target.d/gate.conf".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Wants=gate-agent.socket gate-qwen.socket"
    ];
    "gate/user-units/40001/gate-agent.socket".text = lib.concatLines [
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
    "gate/user-units/40001/gate-agent@.service".text = lib.concatLines [
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
    "gate/user-units/40001/sockets.target.d/gate.conf".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Unit]"
      "Wants=gate-agent.socket"
    ];
    "containers/systemd/users/40000/gate-qwen-cache.volume".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Volume]"
      "Label=gate.volume=gate-qwen-cache"
    ];
    "containers/systemd/users/40000/gate-qwen.container".text = lib.concatLines [
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
      "ContainerName=gate-qwen"
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
      "GroupAdd=keep-groups"
      "Volume=/run/gate/backends/qwen/container:/run/engine"
      "Volume=/var/lib/gate/models/Qwen/Qwen3-8B-FP8:/models/Qwen/Qwen3-8B-FP8:ro"
      "Volume=gate-qwen-cache.volume:/cache"
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
      "Label=gate.backend=qwen"
      "Notify=healthy"
      ""
      "[Service]"
      "Restart=on-failure"
      "RestartSec=5s"
      "TimeoutStartSec=660s"
      "TimeoutStopSec=45s"
      "MemoryMax=25769803776"
    ];
    "containers/systemd/users/40001/gate-webui-data.volume".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      ""
      "[Volume]"
      "Label=gate.volume=gate-webui-data"
    ];
    "containers/systemd/users/40001/gate-webui.container".text = lib.concatLines [
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
      "PublishPort=127.0.0.1:8080:8080"
      "Volume=gate-webui-data.volume:/app/backend/data"
      "Environment=ENABLE_OLLAMA_API=false"
      "Environment=HOME=/app/backend/data"
      "Environment=OPENAI_API_BASE_URL=http://127.0.0.1:3000/v1"
      "Environment=PORT=8080"
      "Environment=STATIC_DIR=/app/backend/data/static"
      "EnvironmentFile=/run/gate/secrets/webui/environment"
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
    "nginx/conf.d/gate.conf".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      "map $http_upgrade $gate_connection {"
      "    default upgrade;"
      "    '' '';"
      "}"
      "map $upstream_http_x_content_type_options $gate_content_type_options {"
      "    default $upstream_http_x_content_type_options;"
      "    '' nosniff;"
      "}"
      "map $upstream_http_x_frame_options $gate_frame_options {"
      "    default $upstream_http_x_frame_options;"
      "    '' SAMEORIGIN;"
      "}"
      "map $upstream_http_referrer_policy $gate_referrer_policy {"
      "    default $upstream_http_referrer_policy;"
      "    '' same-origin;"
      "}"
      "upstream gate_gateway {"
      "    server 127.0.0.1:3000;"
      "    keepalive 32;"
      "}"
      "upstream gate_webui_liminati_internal {"
      "    server 127.0.0.1:8080;"
      "    keepalive 32;"
      "}"
      "server {"
      "    listen 80;"
      "    listen [::]:80;"
      "    server_name liminati.internal;"
      "    server_name vllm.liminati.internal;"
      "    server_name api.liminati.internal;"
      "    server_name webui.liminati.internal;"
      "    server_tokens off;"
      "    location / {"
      "        return 308 https://$host$request_uri;"
      "    }"
      "}"
      "server {"
      "    listen 443 ssl http2;"
      "    listen [::]:443 ssl http2;"
      "    server_name liminati.internal;"
      "    server_tokens off;"
      "    ssl_certificate /etc/gate/liminati.internal.crt;"
      "    ssl_certificate_key /etc/gate/liminati.internal.key;"
      "    ssl_protocols TLSv1.2 TLSv1.3;"
      "    ssl_session_cache shared:gate:10m;"
      "    ssl_session_tickets off;"
      "    client_max_body_size 33554432;"
      "    proxy_hide_header Strict-Transport-Security;"
      "    add_header Strict-Transport-Security max-age=31536000 always;"
      "    proxy_hide_header X-Content-Type-Options;"
      "    add_header X-Content-Type-Options $gate_content_type_options always;"
      "    proxy_hide_header X-Frame-Options;"
      "    add_header X-Frame-Options $gate_frame_options always;"
      "    proxy_hide_header Referrer-Policy;"
      "    add_header Referrer-Policy $gate_referrer_policy always;"
      "    location / {"
      "        proxy_pass http://gate_gateway;"
      "        proxy_http_version 1.1;"
      "        proxy_set_header Host $http_host;"
      "        proxy_set_header Upgrade $http_upgrade;"
      "        proxy_set_header Connection $gate_connection;"
      "        proxy_set_header X-Forwarded-For $remote_addr;"
      "        proxy_set_header X-Forwarded-Host $http_host;"
      "        proxy_set_header X-Forwarded-Proto $scheme;"
      "        proxy_set_header X-Real-IP $remote_addr;"
      "        proxy_set_header Forwarded '';"
      "        proxy_buffering off;"
      "        proxy_request_buffering off;"
      "        proxy_connect_timeout 5s;"
      "        proxy_read_timeout 1h;"
      "        proxy_send_timeout 1h;"
      "        proxy_next_upstream off;"
      "    }"
      "}"
      "server {"
      "    listen 443 ssl http2;"
      "    listen [::]:443 ssl http2;"
      "    server_name vllm.liminati.internal;"
      "    server_tokens off;"
      "    ssl_certificate /etc/gate/liminati.internal.crt;"
      "    ssl_certificate_key /etc/gate/liminati.internal.key;"
      "    ssl_protocols TLSv1.2 TLSv1.3;"
      "    ssl_session_cache shared:gate:10m;"
      "    ssl_session_tickets off;"
      "    client_max_body_size 33554432;"
      "    proxy_hide_header Strict-Transport-Security;"
      "    add_header Strict-Transport-Security max-age=31536000 always;"
      "    proxy_hide_header X-Content-Type-Options;"
      "    add_header X-Content-Type-Options $gate_content_type_options always;"
      "    proxy_hide_header X-Frame-Options;"
      "    add_header X-Frame-Options $gate_frame_options always;"
      "    proxy_hide_header Referrer-Policy;"
      "    add_header Referrer-Policy $gate_referrer_policy always;"
      "    location / {"
      "        proxy_pass http://gate_gateway;"
      "        proxy_http_version 1.1;"
      "        proxy_set_header Host $http_host;"
      "        proxy_set_header Upgrade $http_upgrade;"
      "        proxy_set_header Connection $gate_connection;"
      "        proxy_set_header X-Forwarded-For $remote_addr;"
      "        proxy_set_header X-Forwarded-Host $http_host;"
      "        proxy_set_header X-Forwarded-Proto $scheme;"
      "        proxy_set_header X-Real-IP $remote_addr;"
      "        proxy_set_header Forwarded '';"
      "        proxy_buffering off;"
      "        proxy_request_buffering off;"
      "        proxy_connect_timeout 5s;"
      "        proxy_read_timeout 1h;"
      "        proxy_send_timeout 1h;"
      "        proxy_next_upstream off;"
      "    }"
      "}"
      "server {"
      "    listen 443 ssl http2;"
      "    listen [::]:443 ssl http2;"
      "    server_name api.liminati.internal;"
      "    server_tokens off;"
      "    ssl_certificate /etc/gate/liminati.internal.crt;"
      "    ssl_certificate_key /etc/gate/liminati.internal.key;"
      "    ssl_protocols TLSv1.2 TLSv1.3;"
      "    ssl_session_cache shared:gate:10m;"
      "    ssl_session_tickets off;"
      "    client_max_body_size 33554432;"
      "    proxy_hide_header Strict-Transport-Security;"
      "    add_header Strict-Transport-Security max-age=31536000 always;"
      "    proxy_hide_header X-Content-Type-Options;"
      "    add_header X-Content-Type-Options $gate_content_type_options always;"
      "    proxy_hide_header X-Frame-Options;"
      "    add_header X-Frame-Options $gate_frame_options always;"
      "    proxy_hide_header Referrer-Policy;"
      "    add_header Referrer-Policy $gate_referrer_policy always;"
      "    location / {"
      "        proxy_pass http://gate_gateway;"
      "        proxy_http_version 1.1;"
      "        proxy_set_header Host $http_host;"
      "        proxy_set_header Upgrade $http_upgrade;"
      "        proxy_set_header Connection $gate_connection;"
      "        proxy_set_header X-Forwarded-For $remote_addr;"
      "        proxy_set_header X-Forwarded-Host $http_host;"
      "        proxy_set_header X-Forwarded-Proto $scheme;"
      "        proxy_set_header X-Real-IP $remote_addr;"
      "        proxy_set_header Forwarded '';"
      "        proxy_buffering off;"
      "        proxy_request_buffering off;"
      "        proxy_connect_timeout 5s;"
      "        proxy_read_timeout 1h;"
      "        proxy_send_timeout 1h;"
      "        proxy_next_upstream off;"
      "    }"
      "}"
      "server {"
      "    listen 443 ssl http2;"
      "    listen [::]:443 ssl http2;"
      "    server_name webui.liminati.internal;"
      "    server_tokens off;"
      "    ssl_certificate /etc/gate/liminati.internal.crt;"
      "    ssl_certificate_key /etc/gate/liminati.internal.key;"
      "    ssl_protocols TLSv1.2 TLSv1.3;"
      "    ssl_session_cache shared:gate:10m;"
      "    ssl_session_tickets off;"
      "    client_max_body_size 33554432;"
      "    proxy_hide_header Strict-Transport-Security;"
      "    add_header Strict-Transport-Security max-age=31536000 always;"
      "    proxy_hide_header X-Content-Type-Options;"
      "    add_header X-Content-Type-Options $gate_content_type_options always;"
      "    proxy_hide_header X-Frame-Options;"
      "    add_header X-Frame-Options $gate_frame_options always;"
      "    proxy_hide_header Referrer-Policy;"
      "    add_header Referrer-Policy $gate_referrer_policy always;"
      "    location / {"
      "        proxy_pass http://gate_webui_liminati_internal;"
      "        proxy_http_version 1.1;"
      "        proxy_set_header Host $http_host;"
      "        proxy_set_header Upgrade $http_upgrade;"
      "        proxy_set_header Connection $gate_connection;"
      "        proxy_set_header X-Forwarded-For $remote_addr;"
      "        proxy_set_header X-Forwarded-Host $http_host;"
      "        proxy_set_header X-Forwarded-Proto $scheme;"
      "        proxy_set_header X-Real-IP $remote_addr;"
      "        proxy_set_header Forwarded '';"
      "        proxy_buffering off;"
      "        proxy_request_buffering off;"
      "        proxy_connect_timeout 5s;"
      "        proxy_read_timeout 1h;"
      "        proxy_send_timeout 1h;"
      "        proxy_next_upstream off;"
      "    }"
      "}"
      "server {"
      "    listen 8081;"
      "    listen [::]:8081;"
      "    server_name _;"
      "    server_tokens off;"
      "    root /etc/gate/client;"
      "    location = /install-client.sh {"
      "        types {"
      "        }"
      "        default_type text/x-shellscript;"
      "    }"
      "    location = /install-client.sh.sha256 {"
      "        types {"
      "        }"
      "        default_type text/plain;"
      "    }"
      "    location = /ca.crt {"
      "        types {"
      "        }"
      "        default_type application/x-x509-ca-cert;"
      "        alias /etc/gate/liminati-ca.crt;"
      "    }"
      "    location / {"
      "        return 404;"
      "    }"
      "}"
    ];
    "gate/dnsmasq.conf".text = lib.concatLines [
      "# Made by gatectl from the spec; changes here are lost."
      "port=53"
      "bind-dynamic"
      "interface=tailscale0"
      "except-interface=lo"
      "no-resolv"
      "no-hosts"
      "pid-file="
      "local=/liminati.internal/"
      "interface-name=liminati.internal,tailscale0"
      "interface-name=vllm.liminati.internal,tailscale0"
      "interface-name=api.liminati.internal,tailscale0"
      "interface-name=webui.liminati.internal,tailscale0"
    ];
  };
  hardware.nvidia-container-toolkit.enable = true;
  networking.firewall.interfaces.tailscale0.allowedTCPPorts = [ 53 80 443 3000 8081 41147 ];
  networking.firewall.interfaces.tailscale0.allowedUDPPorts = [ 53 ];
  services.nginx.appendHttpConfig = "include ${config.environment.etc."nginx/conf.d/gate.conf".source};";
  services.nginx.enable = true;
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
    gate-webui-secrets = {
      unitConfig = {
        Description = "Gate: secrets of gate-webui";
      };
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = "yes";
        ExecStart = "/bin/sh -euc \"umask 0077; cd \\\"$$CREDENTIALS_DIRECTORY\\\"; for name in *; do value=; IFS= read -r value <\\\"$$name\\\" || [ -n \\\"$$value\\\" ]; printf '%%s=%%s\\\\n' \\\"$$name\\\" \\\"$$value\\\"; done >\\\"$$1.new\\\"; chgrp \\\"$$2\\\" \\\"$$1.new\\\"; chmod 0440 \\\"$$1.new\\\"; mv \\\"$$1.new\\\" \\\"$$1\\\"\" sh /run/gate/secrets/webui/environment gate-webui";
        LoadCredential = [
          "OPENAI_API_KEY:webui-gateway-key"
          "WEBUI_SECRET_KEY:/etc/gate/webui-secret"
        ];
        ReadWritePaths = "/run/gate/secrets/webui";
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
        Environment = "XDG_CONFIG_HOME=/var/lib/gate-backends/qwen/.config";
      };
      restartIfChanged = false;
    };
    "user@40001" = {
      overrideStrategy = "asDropin";
      enableDefaultPath = false;
      unitConfig = {
        Wants = "gate-webui-secrets.service";
        After = "gate-webui-secrets.service";
      };
      serviceConfig = {
        Environment = "XDG_CONFIG_HOME=/var/lib/gate-backends/webui/.config";
      };
      restartIfChanged = false;
    };
    gate-dns = {
      unitConfig = {
        Description = "Names below liminati.internal";
        After = "network.target";
      };
      serviceConfig = {
        ExecStart = "${pkgs.dnsmasq}/bin/dnsmasq --keep-in-foreground --log-facility=- --conf-file=/etc/gate/dnsmasq.conf";
        Restart = "on-failure";
        DynamicUser = "yes";
        NoNewPrivileges = "yes";
        PrivateDevices = "yes";
        PrivateMounts = "yes";
        PrivateTmp = "yes";
        ProtectHome = "yes";
        ProtectClock = "yes";
        ProtectControlGroups = "yes";
        ProtectHostname = "yes";
        ProtectKernelLogs = "yes";
        ProtectKernelModules = "yes";
        ProtectKernelTunables = "yes";
        LockPersonality = "yes";
        MemoryDenyWriteExecute = "yes";
        RestrictNamespaces = "yes";
        RestrictRealtime = "yes";
        RestrictSUIDSGID = "yes";
        DevicePolicy = "closed";
        ProtectSystem = "strict";
        ProtectProc = "invisible";
        ProcSubset = "pid";
        AmbientCapabilities = "CAP_NET_BIND_SERVICE";
        CapabilityBoundingSet = "CAP_NET_BIND_SERVICE";
        RestrictAddressFamilies = "AF_INET AF_INET6 AF_NETLINK";
        SystemCallArchitectures = "native";
        SystemCallFilter = [ "@system-service" "~@privileged @resources" ];
        SystemCallErrorNumber = "EPERM";
        UMask = "0077";
      };
      wantedBy = [ "multi-user.target" ];
      restartTriggers = [ (config.environment.etc."gate/dnsmasq.conf".source) ];
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
    "d /run/gate/backends/qwen 02750 gate-qwen gate -"
    "d /run/gate/backends/qwen/container 02750 gate-qwen gate -"
    "d /var/lib/gate-backends/qwen 0755 root root -"
    "d /var/lib/gate-backends/qwen/.config 0755 root root -"
    "d /var/lib/gate-backends/qwen/.config/systemd 0755 root root -"
    "d /var/lib/gate-backends/qwen/.cache 0700 gate-qwen gate-qwen -"
    "d /var/lib/gate-backends/qwen/.local 0700 gate-qwen gate-qwen -"
    "d /run/gate/backends/webui 02750 gate-webui gate -"
    "d /run/gate/backends/webui/container 02750 gate-webui gate -"
    "d /var/lib/gate-backends/webui 0755 root root -"
    "d /var/lib/gate-backends/webui/.config 0755 root root -"
    "d /var/lib/gate-backends/webui/.config/systemd 0755 root root -"
    "d /var/lib/gate-backends/webui/.cache 0700 gate-webui gate-webui -"
    "d /var/lib/gate-backends/webui/.local 0700 gate-webui gate-webui -"
    "d /run/gate/secrets/webui 0750 root gate-webui -"
    "L+ /var/lib/gate-backends/qwen/.config/systemd/user - - - - /etc/gate/user-units/40000"
    "L+ /var/lib/gate-backends/webui/.config/systemd/user - - - - /etc/gate/user-units/40001"
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
    gate-qwen = {
      gid = 40000;
    };
    gate-webui = {
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
    gate-qwen = {
      isSystemUser = true;
      uid = 40000;
      group = "gate-qwen";
      extraGroups = [ "gate-models" ];
      description = "Gate backend qwen";
      home = "/var/lib/gate-backends/qwen";
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
    gate-webui = {
      isSystemUser = true;
      uid = 40001;
      group = "gate-webui";
      description = "Gate backend webui";
      home = "/var/lib/gate-backends/webui";
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

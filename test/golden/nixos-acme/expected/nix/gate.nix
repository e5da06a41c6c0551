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
      "  \"backends\": {},"
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
      "server {"
      "    listen 80;"
      "    listen [::]:80;"
      "    server_name ai.example.org;"
      "    server_tokens off;"
      "    location /.well-known/acme-challenge/ {"
      "        root /var/lib/gate-acme;"
      "        default_type text/plain;"
      "    }"
      "    location / {"
      "        return 308 https://$host$request_uri;"
      "    }"
      "}"
      "server {"
      "    listen 443 ssl http2;"
      "    listen [::]:443 ssl http2;"
      "    server_name ai.example.org;"
      "    server_tokens off;"
      "    ssl_certificate /etc/letsencrypt/live/ai.example.org/fullchain.pem;"
      "    ssl_certificate_key /etc/letsencrypt/live/ai.example.org/privkey.pem;"
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
    ];
  };
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

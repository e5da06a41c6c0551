# Made by gatectl from the spec; changes here are lost.
# Import it into a NixOS configuration beside nixosModules.default of Gate's flake.
{
  services.gate-daemon = {
    enable = true;
    profile = "desktop";
    domain = "liminati.internal";
    tls = {
      files = {
        cert = "/etc/gate/liminati.internal.crt";
        key = "/etc/gate/liminati.internal.key";
      };
    };
    host = "127.0.0.1";
    port = 3000;
    openFirewallOnInterfaces = [ "tailscale0" ];
    models = {
      coder = {
        category = "thinking";
        targets = [
          {
            backend = "qwen";
          }
        ];
      };
    };
    proxy = {
      engine = "nginx";
      aliases = [ "vllm" "api" ];
    };
    dns = {
      engine = "dnsmasq";
      listen = "tailscale0";
    };
    client = {
      enable = true;
      ca = "/etc/gate/liminati-ca.crt";
    };
    backends = {
      qwen = {
        engine = "vllm";
        image = "docker.io/vllm/vllm-openai@sha256:2eb2d84317d6274cb5075cf849e71d90db4f756a3a19d39f261f9705f4749dce";
        model = "Qwen/Qwen3-8B-FP8";
        gpu = {
          kind = "nvidia";
          devices = [ "0" ];
        };
        memory = "24GiB";
        idleStop = "30m";
        uid = 40000;
        subIdStart = 2000224256;
      };
      webui = {
        engine = "open-webui";
        image = "ghcr.io/open-webui/open-webui@sha256:789b0ba96cfabdd37dc546518c35b57e755191c06b74b6650205549dae28b89a";
        network = true;
        port = 8080;
        expose = "webui";
        secrets = {
          OPENAI_API_KEY = {
            credential = "webui-gateway-key";
          };
          WEBUI_SECRET_KEY = {
            file = "/etc/gate/webui-secret";
          };
        };
        uid = 40001;
        subIdStart = 2000289792;
      };
    };
  };
}

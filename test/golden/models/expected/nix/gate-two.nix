# Made by gatectl from the spec; changes here are lost.
# Import it into a NixOS configuration beside nixosModules.default of Gate's flake.
{
  services.gate-daemon.instances.two = {
    enable = true;
    host = "::1";
    port = 3001;
    p2pPort = 41148;
    initialUpstreams = [
      {
        name = "openai";
        provider = "openai";
        apiKey = {
          file = "/etc/gate/openai%key";
        };
        models = [ "gpt-5-mini" "gpt-5" ];
        timeout = "30s";
      }
      {
        name = "lab";
        provider = "vllm";
        baseUrl = "http://127.0.0.1:9000/v1";
        enabled = false;
      }
    ];
    models = {
      coder = {
        category = "thinking";
        targets = [
          {
            backend = "qwen";
          }
          {
            upstream = "openai";
            model = "gpt-5-mini";
          }
        ];
      };
      cheap = {
        strategy = "cost";
        targets = [
          {
            backend = "small";
          }
          {
            upstream = "openai";
            model = "gpt-5-mini";
          }
        ];
      };
      spread = {
        strategy = "weighted";
        targets = [
          {
            backend = "small";
            weight = 3;
          }
          {
            upstream = "openai";
            model = "gpt-5";
            weight = 1;
          }
        ];
      };
      half = {
        strategy = "weighted";
        targets = [
          {
            alias = "spread";
            weight = 2;
          }
          {
            upstream = "lab";
            model = "llama";
            weight = 2;
          }
        ];
      };
      first = {
        targets = [
          {
            alias = "coder";
          }
          {
            backend = "small";
          }
        ];
      };
      mixed = {
        targets = [
          {
            alias = "spread";
          }
          {
            backend = "qwen";
          }
        ];
      };
      "gpt-4.1" = {
        targets = [
          {
            upstream = "openai";
            model = "gpt-4.1";
          }
          {
            backend = "qwen";
          }
        ];
      };
      "qwen2.5:7b" = {
        targets = [
          {
            backend = "small";
            model = "org/model";
          }
        ];
      };
      "org/GPT-4o" = {
        targets = [
          {
            alias = "gpt-4.1";
          }
        ];
      };
    };
    backends = {
      qwen = {
        engine = "vllm";
        image = "docker.io/vllm/vllm-openai@sha256:2eb2d84317d6274cb5075cf849e71d90db4f756a3a19d39f261f9705f4749dce";
        model = "Qwen/Qwen3-8B-FP8";
        gpu = {
          kind = "nvidia";
        };
        idleStop = "10m";
        uid = 40000;
        subIdStart = 2000224256;
      };
      small = {
        engine = "llama-cpp";
        image = "ghcr.io/ggml-org/llama.cpp@sha256:204d5240e5a396b132acba1a41dfc6826a5f3c1ab1a55acb2a10a6c6b58c473d";
        model = "qwen3-0.6b.gguf";
        listen = "tcp";
        port = 18081;
        uid = 40001;
        subIdStart = 2000289792;
      };
    };
  };
}

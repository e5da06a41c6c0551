# Made by gatectl from the spec; changes here are lost.
# Import it into a NixOS configuration beside nixosModules.default of Gate's flake.
{
  services.gate-daemon = {
    enable = true;
    backends = {
      vllm-nvidia = {
        engine = "vllm";
        image = "docker.io/vllm/vllm-openai@sha256:2eb2d84317d6274cb5075cf849e71d90db4f756a3a19d39f261f9705f4749dce";
        model = "Qwen/Qwen3-8B-FP8";
        gpu = {
          kind = "nvidia";
          devices = [ "0" "1" ];
        };
        uid = 40008;
        subIdStart = 2000617472;
      };
      vllm-amd = {
        engine = "vllm";
        image = "docker.io/rocm/vllm@sha256:0abbd9ecd09475b1b331e746f93edc1c26ff0dd0a558d4572b246b3b3b03fa7c";
        model = "Qwen/Qwen3-8B";
        gpu = {
          kind = "amd";
        };
        listen = "tcp";
        args = [ "--max-model-len" "8192" ];
        uid = 40006;
        subIdStart = 2000551936;
      };
      llama-cuda = {
        engine = "llama-cpp";
        image = "ghcr.io/ggml-org/llama.cpp-cuda@sha256:a9f39f5ce04846a513f731724813289d146406ead897aa23ff50fcd0ad434637";
        model = "qwen3-8b-q4_k_m.gguf";
        gpu = {
          kind = "nvidia";
        };
        idleStop = "10m";
        uid = 40002;
        subIdStart = 2000289792;
      };
      llama-rocm = {
        engine = "llama-cpp";
        image = "ghcr.io/ggml-org/llama.cpp-rocm@sha256:9e42096d3f2320e680cd27f8aa18e88796411155676de855ef65b3c3d2e7661e";
        model = "qwen3-8b-q4_k_m.gguf";
        gpu = {
          kind = "amd";
          devices = [ "renderD128" "card0" ];
        };
        uid = 40003;
        subIdStart = 2000355328;
      };
      llama-vulkan = {
        engine = "llama-cpp";
        image = "ghcr.io/ggml-org/llama.cpp-vulkan@sha256:b56fbe410ea01f84c8739610ee743c1229b8e321b8ccbf800e96405a6b39056b";
        model = "qwen3-8b-q4_k_m.gguf";
        gpu = {
          kind = "vulkan";
          devices = [ "renderD128" ];
        };
        listen = "tcp";
        port = 18080;
        uid = 40004;
        subIdStart = 2000420864;
      };
      llama-cpu = {
        engine = "llama-cpp";
        image = "ghcr.io/ggml-org/llama.cpp@sha256:204d5240e5a396b132acba1a41dfc6826a5f3c1ab1a55acb2a10a6c6b58c473d";
        model = "qwen3-8b-q4_k_m.gguf";
        memory = "8GiB";
        cpus = 2.5;
        pids = 256;
        uid = 40001;
        subIdStart = 2000224256;
      };
      ollama = {
        engine = "ollama";
        image = "docker.io/ollama/ollama@sha256:e4759420751e36ac8228af12fbfb9e6de5e9f1b98e88599f3dc92fbf48abac18";
        network = true;
        idleStop = "5m";
        uid = 40007;
        subIdStart = 537329664;
      };
      webui = {
        engine = "open-webui";
        image = "ghcr.io/open-webui/open-webui@sha256:789b0ba96cfabdd37dc546518c35b57e755191c06b74b6650205549dae28b89a";
        network = true;
        uid = 40009;
        port = 49512;
        subIdStart = 2000683008;
      };
      own = {
        engine = "custom";
        image = "registry.example.org:5000/team/engine@sha256:419dbb1ae295b2800b98a9a60c07439985b232d8bd6cdeac1a9e1feec0b6499c";
        model = "own/model";
        args = [
          "--listen"
          "{socket}"
          "--model={model}"
          "quote \" and \\ and $HOME and 100%"
        ];
        environment = {
          GREETING = "it's 100% \${HOME}";
        };
        secrets = { };
        volumes = [
          {
            name = "scratch";
            path = "/scratch";
          }
        ];
        health = {
          command = [ "/bin/check" "--socket" "{socket}" ];
          interval = "500ms";
          startPeriod = "20s";
        };
        readOnly = false;
        uid = 40005;
        subIdStart = 2000486400;
      };
    };
  };
}

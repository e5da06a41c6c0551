# Made by gatectl from the spec; changes here are lost.
# Import it into a NixOS configuration beside nixosModules.default of Gate's flake.
{
  services.gate-daemon = {
    enable = true;
    models = {
      any = {
        targets = [
          {
            backend = "small";
          }
          {
            backend = "large";
          }
        ];
      };
    };
    backends = {
      small = {
        engine = "vllm";
        image = "docker.io/vllm/vllm-openai@sha256:2eb2d84317d6274cb5075cf849e71d90db4f756a3a19d39f261f9705f4749dce";
        model = "Qwen/Qwen3-8B-FP8";
        gpu = {
          kind = "nvidia";
        };
        group = "gpu0";
        maxConcurrent = 8;
        maxWaiting = 20;
        waitTimeout = "5m";
        uid = 40001;
        subIdStart = 2000289792;
      };
      large = {
        engine = "llama-cpp";
        image = "ghcr.io/ggml-org/llama.cpp-cuda@sha256:a9f39f5ce04846a513f731724813289d146406ead897aa23ff50fcd0ad434637";
        model = "qwen3-32b-q4_k_m.gguf";
        gpu = {
          kind = "nvidia";
        };
        group = "gpu0";
        idleStop = "10m";
        startTimeout = "15m";
        uid = 40000;
        subIdStart = 2000224256;
      };
    };
  };
}

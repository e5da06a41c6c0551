# llama.cpp on an AMD GPU, with a secret of its own.
{
  services.gate-daemon = {
    enable = true;
    backends.phi = {
      engine = "llama-cpp";
      image = "ghcr.io/ggml-org/llama.cpp@sha256:0000000000000000000000000000000000000000000000000000000000000003";
      model = "phi.gguf";
      gpu.kind = "amd";
      uid = 40001;
      args = [
        "--ctx-size"
        "8192"
      ];
      environment.LC_ALL = "C.UTF-8";
      secrets.HF_TOKEN.file = "/run/secrets/hf";
    };
  };
}

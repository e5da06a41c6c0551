# vLLM on an NVIDIA GPU, stopped when nobody asks for it.
{
  services.xserver.videoDrivers = [ "nvidia" ];
  services.gate-daemon = {
    enable = true;
    profile = "large-vps";
    memory = "1.5GiB";
    backends.qwen = {
      engine = "vllm";
      image = "docker.io/vllm/vllm-openai@sha256:0000000000000000000000000000000000000000000000000000000000000002";
      model = "Qwen/Qwen3-8B-FP8";
      gpu = {
        kind = "nvidia";
        devices = [ "0" ];
      };
      uid = 40000;
      idleStop = "10m";
      group = "gpu0";
      memory = "24GiB";
    };
    models.coder = {
      category = "thinking";
      targets = [ { backend = "qwen"; } ];
    };
  };
}

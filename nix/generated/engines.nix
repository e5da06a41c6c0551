# Made by "npm run generate"; changes here are lost.
# What the module needs to know about engines.
{ vllm = { listen = "unix"; canCheckKeys = true; isUpstream = true; }; llama-cpp = { listen = "unix"; canCheckKeys = true; isUpstream = true; }; ollama = { listen = "tcp"; canCheckKeys = false; isUpstream = true; }; open-webui = { listen = "tcp"; canCheckKeys = false; isUpstream = false; }; custom = { listen = "unix"; canCheckKeys = false; isUpstream = true; }; }

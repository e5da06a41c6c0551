# Made by "npm run generate"; changes here are lost.
# Memory of the daemon by profile, in bytes.
{ desktop = 1073741824; small-vps = 805306368; medium-vps = 2147483648; large-vps = 4294967296; }

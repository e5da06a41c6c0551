# Addresses as a socket unit takes them.
{ lib }:
rec {
  # systemd looks up no names, but this one is the same everywhere
  address = host: if host == "localhost" then "127.0.0.1" else lib.removeSuffix "]" (lib.removePrefix "[" host);

  isIPv6 = lib.hasInfix ":";
  isAddress = host: isIPv6 host || builtins.match "[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+" host != null;
  isLoopback = host: host == "::1" || lib.hasPrefix "127." host;

  # Always there. Any other may come later than the socket, so it is bound before it exists.
  isOwn = host: lib.elem host [ "0.0.0.0" "::" ] || isLoopback host;

  stream = host: port: "${if isIPv6 host then "[${host}]" else host}:${toString port}";

  # Whether two listeners of one port would meet.
  overlap = a: b: let isAll = host: lib.elem host [ "*" "0.0.0.0" "::" ]; in isAll a || isAll b || address a == address b;
}

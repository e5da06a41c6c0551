# Hosts to listen on, judged as schemas/words/address.ts does; test/nix/listen.test.ts holds both against one table.
{ lib }:
let
  matches = pattern: text: builtins.match pattern text != null;
  ip = import ../generated/address-pattern.nix;
in
rec {
  # in one form: lower case, without brackets and final dot
  canonical = host: let inner = builtins.match "\\[([^]]*:[^]]*)]" host; in
    lib.removeSuffix "." (lib.toLower (if inner == null then host else builtins.head inner));
  # systemd looks up no names, but this one is the same everywhere
  address = host: if canonical host == "localhost" then "127.0.0.1" else canonical host;

  isIPv6 = lib.hasInfix ":";
  isAddress = host: matches ip (address host);

  # 127.0.0.0/8, ::1 however it is written, and the former inside IPv6
  isLoopback = host:
    isAddress host
    && matches "127\\..*|[0:]*:0*1|[0:]*:f{4}:(127\\..*|7f[0-9a-f]{2}:[0-9a-f]{1,4})" (address host);
  isEvery = host: host == "*" || isAddress host && matches "0\\.0\\.0\\.0|[0:]*|[0:]*:f{4}:(0\\.0\\.0\\.0|0+:0+)" (address host);

  # Always there. Any other may come later than the socket, so it is bound before it exists.
  isOwn = host: isEvery host || isLoopback host;

  stream = host: port: "${if isIPv6 host then "[${host}]" else host}:${toString port}";

  # Whether two listeners of one port would meet.
  overlap = a: b: isEvery a || isEvery b || address a == address b;
}

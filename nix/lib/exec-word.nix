# A text as one word of a command of systemd, which splits, unquotes and expands; syntax/unit/print.ts has the same rule.
text:
let
  escaped = builtins.replaceStrings [ "%" "$" "\\" "\"" ] [ "%%" "$$" "\\\\" "\\\"" ] (toString text);
in
if builtins.match "[A-Za-z0-9_@%+=:,./$-]+" escaped != null then escaped else "\"${escaped}\""

# A text or path as systemd reads it in a unit, where % begins a specifier; syntax/unit/print.ts has the same rule.
text: builtins.replaceStrings [ "%" ] [ "%%" ] (toString text)

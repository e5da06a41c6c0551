# One key, two spellings: p2pPort in Nix, p2p_port in TOML. schemas/key-names.ts has the same rule.
# A tree of keys is what nix/generated/*-keys.nix holds.
{ lib }:
let
  inherit (builtins) isAttrs isList;

  # p2p_port -> p2pPort; an underscore before a digit stays
  camelCase = key:
    lib.concatStrings (map (part: if isList part then lib.toUpper (lib.head part) else part) (builtins.split "_([a-z])" key));

  # p2pPort -> p2p_port
  snakeCase = key:
    lib.concatStrings (map (part: if isList part then "_${lib.toLower (lib.head part)}" else part) (builtins.split "([A-Z])" key));

  # The value with its keys as in TOML. What is null is left out, and so is what the tree does not have.
  toToml = tree: value:
    if value == null then null
    else if tree ? keys && isAttrs value then
      withoutNulls (lib.mapAttrs (key: below: toToml below (value.${camelCase key} or value.${key} or null)) tree.keys)
    else if tree ? names && isAttrs value then withoutNulls (lib.mapAttrs (_: toToml tree.names) value)
    else if tree ? items && isList value then map (toToml tree.items) value
    else value;

  withoutNulls = lib.filterAttrs (_: value: value != null);

  # Every place that is set in the value, as a list of names in Nix' spelling, with what the tree knows of it.
  places = tree: value: placesAt tree [ ] value;
  placesAt = tree: path: value:
    if value == null || value == { } then [ ]
    else if tree ? keys && isAttrs value then
      lib.concatMap
        (name:
          let below = tree.keys.${snakeCase name} or tree.keys.${name} or null; in
          if tree.keys ? ${snakeCase name} || tree.keys ? ${name}
          then placesAt below (path ++ [ name ]) value.${name}
          else [ { path = path ++ [ name ]; kind = "unknown"; keys = map camelCase (lib.attrNames tree.keys); } ])
        (lib.attrNames (withoutNulls value))
    else if tree ? names && isAttrs value then
      lib.concatMap (name: placesAt tree.names (path ++ [ name ]) value.${name}) (lib.attrNames value)
    else [ { inherit path; kind = if tree == "secret" then "secret" else "value"; } ];

  # "did you mean p2pPort?", or all that there is
  suggestion = word: names:
    let
      distances = map (name: { inherit name; distance = lib.strings.levenshtein word name; }) names;
      near = lib.foldl' (best: next: if best == null || next.distance < best.distance then next else best) null distances;
    in
    if near != null && near.distance * 2 <= lib.max 2 (lib.stringLength word)
    then "did you mean ${near.name}?"
    else "known: ${lib.concatStringsSep ", " names}";
in
{ inherit camelCase snakeCase toToml places suggestion; }

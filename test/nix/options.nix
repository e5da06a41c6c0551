# Every option of the modules as a list that becomes JSON; below a submodule, `<name>` and `*` stand for what is inside.
let
  inherit (import ./evaluator.nix) lib;
  inherit (builtins) attrNames concatMap isFunction;
  pkgs = import ./packages.nix { inherit lib; };
  root = ../../nix/modules;

  load = arguments: module:
    let made = if isFunction module then module ({ inherit lib pkgs; config = { }; } // arguments) else module; in
    [ made ] ++ concatMap (load arguments) (made.imports or [ ]);
  optionsOf = arguments: module: concatMap (one: if one ? options then [ one.options ] else [ ]) (load arguments module);

  walk = path: node:
    if (node._type or null) == "option" then [ (shown path node) ] ++ below path node.type
    else concatMap (name: walk (path ++ [ name ]) node.${name}) (attrNames node);
  # options inside a type
  below = path: type:
    if type ? modules then concatMap (walk path) (concatMap (optionsOf { name = lib.last path; }) type.modules)
    else if type ? inner then below (path ++ type.step) type.inner
    else [ ];
  shown = path: option: {
    name = lib.concatStringsSep "." path;
    type = option.type.name;
    description = option.description;
  } // lib.optionalAttrs (option ? defaultText) { defaultText = option.defaultText.text; }
  // lib.optionalAttrs (option ? default && !(option ? defaultText)) { inherit (option) default; }
  // lib.optionalAttrs (option ? example) (if (option.example._type or null) != null then { exampleText = option.example.text; } else { inherit (option) example; });
in
concatMap (file: concatMap (walk [ ]) (optionsOf { } (import (root + "/${file}")))) [ "gate-daemon.nix" "gate-relay.nix" ]

# Sizes as the spec writes them, such as "24GiB" or "1.5GiB".
{ lib }:
let
  units = { B = 1; KiB = 1024; MiB = 1048576; GiB = 1073741824; TiB = 1099511627776; };
in
{
  # Bytes of a size; its option has checked the form.
  bytes = size:
    let parts = builtins.match "([0-9]+(\\.[0-9]+)?)(B|KiB|MiB|GiB|TiB)" size; in
    builtins.floor (builtins.fromJSON (lib.head parts) * units.${lib.last parts} + 0.5);
}

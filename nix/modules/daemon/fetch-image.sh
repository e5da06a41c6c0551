# Gets an image into the store of the user that runs this. Arguments: podman, the image, then maybe an archive that has it.
set -eu
# newuidmap and newgidmap, which only the host can hand out
export PATH="/run/wrappers/bin:${PATH:-/run/current-system/sw/bin}"
podman=$1 image=$2

if [ $# -ge 3 ]; then "$podman" load --quiet --input "$3"; fi
if "$podman" image exists "$image"; then exit 0; fi
if [ $# -lt 3 ]; then exec "$podman" pull --quiet "$image"; fi
echo "$3 has no image $image: write image as the archive calls it" >&2
exit 1

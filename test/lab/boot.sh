#!/bin/sh
# Becomes the systemd of a lab. Two steps, because a cgroup namespace starts at the cgroup one is in:
#   boot.sh outer CGROUP NAME LOWER MOUNT   joins the cgroup, makes the namespaces
#   boot.sh inner NAME LOWER MOUNT          builds the machine's file tree and starts systemd in it
# LOWER: read-only layers for overlayfs, topmost first, joined by colons. All mounts are private to the
# namespaces, and everything dies with the process that called `outer`.
set -eu
PATH=$PATH:/usr/sbin:/sbin

if [ "$1" = outer ]; then
  echo $$ >"$2/cgroup.procs"
  shift 2
  exec setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --cgroup --net --uts --ipc \
    --propagation private /bin/sh "$0" inner "$@"
fi

name=$2 lower=$3 at=$4
mount -t tmpfs -o mode=0755 lab "$at"
mkdir "$at/upper" "$at/work" "$at/root"
mount -t overlay -o "lowerdir=$lower,upperdir=$at/upper,workdir=$at/work" lab "$at/root"
cd "$at/root"

mount -t proc proc proc
# kernel settings are the host's too: nothing in here may write them
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=0755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=0755 tmpfs dev
mkdir dev/pts dev/shm
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts dev/pts
# nodes of its own: a mode that is changed inside must not change the host's, and the host's may be odd
for node in 'null 3' 'zero 5' 'full 7' 'random 8' 'urandom 9'; do
  # shellcheck disable=SC2086 # name and minor number
  set -- $node
  mknod -m 0666 "dev/$1" c 1 "$2"
done
mknod -m 0666 dev/tty c 5 0
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr

hostname "$name"
echo "$name" >etc/hostname
mkdir -p mnt
pivot_root . mnt
cd /
umount -l mnt
mount --make-rshared /
exec env -i container=gate-lab PATH=/usr/sbin:/usr/bin /usr/lib/systemd/systemd --system --log-target=journal

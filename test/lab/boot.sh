#!/bin/sh
# Becomes the systemd of a lab. Three steps, each in namespaces of its own below the one before:
#   boot.sh hold CGROUP NAME LOWER MOUNT  makes the machine's disk, boots it, and boots it again whenever it reboots
#   boot.sh join CGROUP NAME MOUNT        joins the cgroup, because a cgroup namespace starts at the cgroup one is in
#   boot.sh init NAME MOUNT               mounts what lives as long as one boot and starts systemd
# LOWER: read-only layers for overlayfs, topmost first, joined by colons. All mounts are private to the
# namespaces, and everything dies with the process that called `hold`.
set -eu
PATH=$PATH:/usr/sbin:/sbin
step=$1
shift

hold() {
  cgroup=$1 name=$2 lower=$3 at=$4
  mount -t tmpfs -o mode=0755,size=75% lab "$at"
  mkdir "$at/upper" "$at/work" "$at/root" "$at/plain"
  mount -t overlay -o "lowerdir=$lower,upperdir=$at/upper,workdir=$at/work" lab "$at/root"
  # podman's own storage is an overlay, and the kernel takes no overlay as the upper layer of another
  for dir in home var/lib var/tmp; do
    mkdir -p "$at/plain/$dir"
    cp -a "$at/root/$dir/." "$at/plain/$dir/"
    mount --bind "$at/plain/$dir" "$at/root/$dir"
  done
  chmod 1777 "$at/root/var/tmp"
  echo "$name" >"$at/root/etc/hostname"
  while true; do
    code=0
    setpriv --pdeathsig KILL /bin/sh "$0" join "$cgroup" "$name" "$at" || code=$?
    # SIGHUP is how the kernel ends a PID namespace that reboots, reboot(2); SIGKILL is lab.ts cutting the power
    case $code in 129 | 137) ;; *) exit "$code" ;; esac
    # everything in there has been killed, but the kernel may still be burying it
    while ! find "$cgroup" -mindepth 1 -depth -type d -exec rmdir {} + 2>/dev/null; do sleep 0.05; done
  done
}

join() {
  echo $$ >"$1/cgroup.procs"
  shift
  exec setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --cgroup --net --uts --ipc \
    --propagation private /bin/sh "$0" init "$@"
}

init() {
  name=$1
  cd "$2/root"
  mount -t proc proc proc
  # kernel settings are the host's too: nothing in here may write them, but for those of its own network
  mount --bind proc/sys proc/sys
  mount --bind proc/sys/net proc/sys/net
  mount -o remount,bind,ro proc/sys
  mount -t sysfs -o ro sysfs sys
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  mount -t tmpfs -o mode=0755 tmpfs run
  # A user namespace may mount /proc only where a whole one is mounted already: mount_too_revealing() in fs/namespace.c.
  mkdir -m 0700 run/host
  mkdir run/host/proc
  mount -t proc proc run/host/proc
  mount -t tmpfs -o mode=1777 tmpfs tmp
  mount -t tmpfs -o mode=0755 tmpfs dev
  mkdir dev/pts dev/shm dev/net
  mount -t tmpfs -o mode=1777 tmpfs dev/shm
  mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts dev/pts
  # nodes of its own: a mode that is changed inside must not change the host's, and the host's may be odd
  for node in 'null 1 3' 'zero 1 5' 'full 1 7' 'random 1 8' 'urandom 1 9' 'tty 5 0' 'fuse 10 229' 'net/tun 10 200'; do
    # shellcheck disable=SC2086 # name, major and minor number
    set -- $node
    mknod -m 0666 "dev/$1" c "$2" "$3"
  done
  ln -s pts/ptmx dev/ptmx
  ln -s /proc/self/fd dev/fd
  ln -s fd/0 dev/stdin
  ln -s fd/1 dev/stdout
  ln -s fd/2 dev/stderr

  hostname "$name"
  mkdir -p mnt
  pivot_root . mnt
  cd /
  umount -l mnt
  mount --make-rshared /
  exec env -i container=gate-lab PATH=/usr/sbin:/usr/bin /usr/lib/systemd/systemd --system --log-target=journal
}

"$step" "$@"

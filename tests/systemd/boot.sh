#!/bin/bash
# boot.sh CMAKE BUILD: installs the build over a copy of this machine's root (an overlay that is thrown away), boots
# that with its own systemd in a container, and runs in_guest.sh there. Nothing of the machine is changed: all mounts
# are in a private namespace, and end with it.
set -uo pipefail
here=$(dirname "$(realpath "$0")")
. "$here/checks.sh"
cmake=$1 build=$2

[ "$(id -u)" = 0 ] || skip "booting systemd needs root"
for program in systemd-nspawn systemd-sysusers busctl dbus-daemon unshare setpriv; do
  command -v $program >/dev/null || skip "there is no $program (packages systemd-container, systemd, dbus, util-linux)"
done
[ -x /lib/systemd/systemd ] || skip "there is no systemd to boot"

work=$(mktemp -d) || exit 1
group=mooring-test-$$
groups=()
payload=$work/payload

# On a machine that systemd does not run, nobody gives the container a control group of its own.
make_groups() {
  local hierarchy
  [ ! -d /run/systemd/system ] || return 0
  for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
    [ -f $hierarchy/cgroup.procs ] || continue
    mkdir "$hierarchy/$group" 2>/dev/null && groups+=("$hierarchy/$group")
  done
  [ ${#groups[@]} -gt 0 ]
}

remove_groups() {
  local directory
  for directory in "${groups[@]}"; do
    find "$directory" -depth -type d -exec rmdir {} \; 2>/dev/null
    [ ! -d "$directory" ]
  done
}

clean_up() {
  if [ -n "${container:-}" ]; then
    kill -TERM "$container" 2>/dev/null
    wait "$container" 2>/dev/null
  fi
  within 5 remove_groups >/dev/null
  rm -rf --one-file-system "$work"
  rmdir /run/systemd/nspawn 2>/dev/null
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

mkdir "$payload" "$work/files"
cp "$here/checks.sh" "$here/in_guest.sh" "$payload/"
if ! DESTDIR=$work/tree "$cmake" --install "$build" --prefix /usr --strip >"$work/install.log" 2>&1; then
  cat "$work/install.log"
  echo "FAILED - the build installs"
  exit 1
fi
make_groups || skip "there is no control group hierarchy to put a container in"

# Runs in the private namespace, and ends with the container's exit status; 77: this machine cannot.
cat >"$work/boot" <<'BOOT'
set -u
work=$1 payload=$2
shift 2
for directory in "$@"; do echo $$ >"$directory/cgroup.procs" || exit 77; done
mount -t tmpfs -o mode=0755 tmpfs "$work/files" && mkdir "$work/files/upper" "$work/files/work" "$work/files/root" &&
  mount -t overlay -o "lowerdir=/,upperdir=$work/files/upper,workdir=$work/files/work" overlay "$work/files/root" ||
  { echo "an overlay of / cannot be mounted"; exit 77; }
root=$work/files/root
# What systemd-nspawn notes of its container ends with it.
mkdir -p /run/systemd/nspawn && mount -t tmpfs -o mode=0755 tmpfs /run/systemd/nspawn || exit 77
[ -x "$root/usr/lib/systemd/systemd" ] ||
  { echo "/usr is a mount of its own, which an overlay of / does not show"; exit 77; }
# Only what the test is about is started: no unit that this machine has enabled, none of its file systems.
rm -rf "$root"/etc/systemd/system/* "$root"/etc/mooring "$root"/var/lib/mooring "$root"/etc/machine-id
: >"$root/etc/fstab"
: >"$root/etc/machine-id"
for unit in systemd-udevd.service systemd-udev-trigger.service systemd-networkd.service systemd-resolved.service \
  systemd-timesyncd.service systemd-logind.service systemd-update-utmp.service systemd-firstboot.service \
  systemd-journal-catalog-update.service systemd-hwdb-update.service ldconfig.service; do
  ln -s /dev/null "$root/etc/systemd/system/$unit"
done
cp -a "$work/tree/." "$root/" && systemd-sysusers --root="$root" || exit 1
cat >"$root/etc/systemd/system/mooring-test.service" <<'UNIT'
[Unit]
After=basic.target dbus.socket
Wants=dbus.socket
[Service]
Type=exec
ExecStart=/bin/bash /run/payload/in_guest.sh
ExecStopPost=/bin/systemctl --no-block exit 0
StandardOutput=append:/run/payload/log
StandardError=inherit
UNIT
# A leak check needs ptrace, which the units do not give; a build without AddressSanitizer knows nothing of it.
for unit in mooringd.service mooring-worker@.service; do
  mkdir -p "$root/etc/systemd/system/$unit.d"
  printf '[Service]\nEnvironment=ASAN_OPTIONS=detect_leaks=0\n' >"$root/etc/systemd/system/$unit.d/sanitizer.conf"
done
cat >"$root/etc/systemd/system/mooring-test.target" <<'UNIT'
[Unit]
Requires=basic.target
Wants=mooring-test.service
UNIT
keep=--keep-unit
[ ! -d /run/systemd/system ] || keep=
exec systemd-nspawn --quiet --register=no $keep --directory="$root" --machine="mooring-test-$$" \
  --bind="$payload:/run/payload" --capability=all --system-call-filter='@mount bpf' --resolv-conf=off --timezone=off \
  --link-journal=no --console=pipe --boot systemd.unit=mooring-test.target </dev/null
BOOT
touch "$payload/log"
timeout --kill-after=10 240 unshare --mount --propagation private \
  bash "$work/boot" "$work" "$payload" "${groups[@]}" >"$work/console" 2>&1 &
container=$!
wait "$container"
status=$?
container=
cat "$payload/log"
if [ ! -s "$payload/log" ]; then
  tail -n 30 "$work/console"
  [ "$status" -ne 77 ] || skip "this machine cannot run the container"
  echo "FAILED - the container boots (status $status)"
  exit 1
fi
if ! grep -q '^all [0-9]* checks passed$' "$payload/log"; then
  echo "--- the container's console"
  tail -n 30 "$work/console"
  exit 1
fi

#!/bin/bash
# verify.sh CMAKE BUILD: installs the build into a directory of its own, and lets systemd's and D-Bus's own tools look
# at what is there. Needs no root and starts nothing.
set -uo pipefail
here=$(dirname "$(realpath "$0")")
. "$here/checks.sh"
cmake=$1 build=$2

command -v systemd-analyze >/dev/null || skip "there is no systemd-analyze (package systemd)"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
tree=$work/tree

check "the build installs into DESTDIR with the prefix /usr" \
  env DESTDIR="$tree" "$cmake" --install "$build" --prefix /usr || { summary; exit 1; }
for file in bin/mooringd libexec/mooring/mooring-worker libexec/mooring/mooring-csi libexec/mooring/mooring-flex \
  lib/systemd/system/mooringd.service \
  lib/systemd/system/mooring-worker.socket lib/systemd/system/mooring-worker@.service \
  lib/systemd/system/mooring-flex.socket lib/systemd/system/mooring-flex@.service lib/sysusers.d/mooring.conf \
  lib/tmpfiles.d/mooring.conf share/dbus-1/system.d/io.mooring.VolumeManager1.conf \
  share/dbus-1/interfaces/io.mooring.VolumeManager1.xml share/man/man8/mooringd.8 share/man/man8/mooring-worker.8 \
  share/man/man5/mooringd.yaml.5 share/doc/mooring/examples/mooringd.yaml; do
  check "/usr/$file is there" test -f "$tree/usr/$file"
done
check "nothing is outside /usr" same "$(ls -A "$tree")" usr
programs() { sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' "$@"; }
check "mooringd.service starts what is installed" \
  test -x "$tree$(programs "$tree/usr/lib/systemd/system/mooringd.service")"
check "mooring-worker@.service starts what is installed" \
  test -x "$tree$(programs "$tree/usr/lib/systemd/system/mooring-worker@.service")"
check "mooring-flex@.service starts what is installed" \
  test -x "$tree$(programs "$tree/usr/lib/systemd/system/mooring-flex@.service")"
check "workers ask for programs where mooring-flex.socket listens" \
  same "$(sed -n 's/^ExecStart=.* --flex-socket //p' "$tree/usr/lib/systemd/system/mooring-worker@.service")" \
  "$(sed -n 's/^ListenStream=//p' "$tree/usr/lib/systemd/system/mooring-flex.socket")"

# The units name paths of the installed system: here they are below the tree.
units=$work/units
mkdir "$units"
for unit in "$tree"/usr/lib/systemd/system/*; do
  sed "s|^ExecStart=/usr/|ExecStart=$tree/usr/|" "$unit" >"$units/${unit##*/}"
done
export SYSTEMD_UNIT_PATH=$units: MANPATH=$tree/usr/share/man:
manuals=no
command -v man >/dev/null && manuals=yes
for unit in mooringd.service mooring-worker.socket mooring-worker@.service mooring-flex.socket mooring-flex@.service; do
  check "systemd-analyze verify says nothing of $unit" quiet systemd-analyze verify --man="$manuals" "$units/$unit"
done
check "mooringd.service is fully sandboxed (exposure at most 2.0)" \
  systemd-analyze security --offline=yes --threshold=20 --no-pager "$units/mooringd.service"
check "mooring-worker@.service is confined (exposure at most 5.5)" \
  systemd-analyze security --offline=yes --threshold=55 --no-pager "$units/mooring-worker@.service"
# Of the options that give a unit its own mount namespace (the unit's comment names them) none may be set.
hiding='^(Protect(System|Home|Proc|ControlGroups|Kernel[A-Za-z]*)|ProcSubset|Private(Tmp|Devices|IPC|Mounts|Users)'
hiding+='|DynamicUser|[A-Za-z]*Paths|TemporaryFileSystem|Mount[A-Za-z]*|Root[A-Za-z]*|ExtensionImages|LogNamespace'
hiding+='|LoadCredential[A-Za-z]*|SetCredential[A-Za-z]*|RestrictSUIDSGID)='
for unit in mooring-worker@.service mooring-flex@.service; do
  check "$unit has no option that hides its mounts" fails grep -E "$hiding" "$units/$unit"
done

if command -v systemd-sysusers >/dev/null && [ "$(id -u)" = 0 ]; then
  mkdir "$tree/etc"
  check "systemd-sysusers makes the user" systemd-sysusers --root="$tree"
  check "the user mooring is there" grep -q '^mooring:' "$tree/etc/passwd"
  check "systemd-tmpfiles makes the directories" systemd-tmpfiles --root="$tree" --create mooring.conf
  group=$(sed -n 's/^mooring:[^:]*:\([0-9]*\):.*/\1/p' "$tree/etc/group")
  check "manifests are for root and mooring" \
    same "$(stat -c '%a %u %g' "$tree/etc/mooring/manifests")" "2750 0 $group"
  check "the root directory is for root and mooring" \
    same "$(stat -c '%a %u %g' "$tree/var/lib/mooring")" "750 0 $group"
fi
if command -v xmllint >/dev/null; then
  check "the interface and the policy are well-formed" \
    quiet xmllint --nonet --noout "$tree"/usr/share/dbus-1/*/io.mooring.VolumeManager1.*
fi
example=$tree/usr/share/doc/mooring/examples/mooringd.yaml
check "the example configuration is valid" "$tree/usr/bin/mooringd" --config "$example" --check-config
sed -e '/^#$/d' -e '/^# [^ ]/d' -e 's/^#//' "$example" >"$work/all.yaml"
check "and so it is with every key set" "$tree/usr/bin/mooringd" --config "$work/all.yaml" --check-config
if [ "$manuals" = yes ]; then
  for page in "$tree"/usr/share/man/man[58]/mooring*; do
    check "man has no complaint about ${page##*/}" fails grep . <(man --warnings -l "$page" 2>&1 >/dev/null)
  done
fi
summary

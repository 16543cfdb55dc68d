#!/usr/bin/env bash
# image.sh DIRECTORY [PACKAGE...]: makes what a guest starts from: root.ext4, a Debian 12 with the packages that the
# checks and (PACKAGE) the programs under test need; vmlinux, Debian's own kernel; and initrd. Everything comes from
# the Debian mirrors that this machine's apt is configured for. Root only. What is in DIRECTORY afterwards depends on
# the files of this folder, the packages and the mirrors.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
out=$(realpath "${1:?usage: image.sh DIRECTORY [PACKAGE...]}")
shift

packages=(systemd systemd-sysv udev dbus polkitd kmod busybox-static iproute2 nftables procps util-linux mount jq
          e2fsprogs xfsprogs btrfs-progs nfs-common nfs-kernel-server "$@")
# Units that have no work in a guest that lives for a minute, or wait for things that it has not got.
masked=(getty.target systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-random-seed.service
        systemd-binfmt.service proc-sys-fs-binfmt_misc.automount systemd-journal-flush.service
        systemd-firstboot.service systemd-machine-id-commit.service systemd-hwdb-update.service ldconfig.service
        systemd-journal-catalog-update.service systemd-pstore.service systemd-rfkill.socket systemd-timesyncd.service
        systemd-logind.service dev-hugepages.mount sys-kernel-debug.mount sys-kernel-tracing.mount
        e2scrub_reap.service e2scrub_all.timer apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer
        fstrim.timer nfs-blkmap.service rpc-statd-notify.service)
# They start when a check starts them.
disabled=(nfs-server.service rpcbind.service rpcbind.socket nfs-client.target remote-fs.target nftables.service)
# The parts of the kernel's package that a guest with virtio devices can use.
modules=('modules.*' kernel/arch kernel/block kernel/crypto kernel/fs kernel/lib kernel/net/netfilter
         kernel/net/dns_resolver kernel/net/ipv4 kernel/net/ipv6 kernel/net/sunrpc kernel/drivers/block kernel/drivers/char
         kernel/drivers/dax kernel/drivers/md kernel/drivers/nvdimm kernel/drivers/virtio kernel/drivers/target
         'kernel/drivers/scsi/*.ko')

work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
root=$work/root

# The sources and the transport options of this machine's apt, for Debian 12.
mirrors() {
  apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT) # $(ORIGIN) $(CODENAME)' \
    'Created-By: Packages' | sed -n 's/ # Debian bookworm.*//p' | sort -u
}
apt_options() {
  apt-config dump --no-empty --format '%f "%v";%n' |
    grep -E '^Acquire::(http|https|Retries|Check-Valid-Until|Check-Date|ForceIPv[46])\b' || true
}

# mmdebstrap calls this with the root that it has made: the kernel's files, without its package's scripts, which would
# build an initrd that nothing needs.
cat >"$work/kernel" <<'HOOK'
set -eu
cd "$WORK"
export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"
package=$(apt-cache depends --important linux-image-amd64 | sed -n 's/.* \(linux-image-[0-9].*\)/\1/p' | head -n 1)
[ -n "$package" ] || { echo "the mirrors have no linux-image-amd64" >&2; exit 1; }
apt-get --quiet download "$package"
HOOK

make_root() {
  mirrors >"$work/sources.list"
  [ -s "$work/sources.list" ] || { echo "this machine's apt knows no mirror of Debian 12 (bookworm)" >&2; exit 1; }
  apt_options >"$work/apt.conf"
  # dpkg needs /proc and the like in the new root: those mounts end with the namespace.
  WORK=$work unshare --mount --propagation private mmdebstrap --mode=root --variant=minbase --format=directory \
    --include="$(IFS=,; echo "${packages[*]}")" --aptopt="$work/apt.conf" \
    --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/i18n/*' \
    --dpkgopt='force-unsafe-io' --customize-hook="sh '$work/kernel'" \
    bookworm "$root" "$work/sources.list"
  rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/etc/apt/sources.list*
}

add_kernel() {
  local package=("$work"/linux-image-*.deb) paths=() module
  release=$(dpkg-deb --field "${package[0]}" Package)
  release=${release#linux-image-}
  for module in "${modules[@]}"; do paths+=("./lib/modules/$release/$module"); done
  mkdir "$work/kernel.d"
  dpkg-deb --fsys-tarfile "${package[0]}" | tar --extract --directory="$work/kernel.d" --wildcards \
    --no-wildcards-match-slash "./boot/vmlinuz-$release" "${paths[@]}"
  mkdir -p "$root/lib/modules"
  mv "$work/kernel.d/lib/modules/$release" "$root/lib/modules/"
  chroot "$root" depmod "$release"
  unpack_kernel "$work/kernel.d/boot/vmlinuz-$release" >"$out/vmlinux"
}

# unpack_kernel BZIMAGE: the ELF file inside, which QEMU starts at once; emulated, to unpack it takes seconds. Where it
# is stands in the header (Documentation/x86/boot.rst); its last four bytes are the size of what is packed.
unpack_kernel() {
  local image=$1 sectors offset length
  number() { od --address-radix=n --format="u$2" --skip-bytes="$1" --read-bytes="$2" "$image" | tr -d ' '; }
  sectors=$(number $((0x1f1)) 1)
  offset=$((($(number $((0x248)) 4)) + (sectors + 1) * 512))
  length=$(number $((0x24c)) 4)
  head --bytes=$((offset + length - 4)) "$image" | tail --bytes=+$((offset + 1)) | xz --decompress --stdout
}

configure() {
  local unit
  echo mooring-vm >"$root/etc/hostname"
  printf '127.0.0.1 localhost mooring-vm\n' >"$root/etc/hosts"
  echo 6d6f6f72696e6720766d206775657374 >"$root/etc/machine-id"
  : >"$root/etc/fstab"
  for unit in "${disabled[@]}"; do systemctl --root="$root" disable --quiet "$unit" 2>/dev/null || true; done
  for unit in "${masked[@]}"; do ln -sf /dev/null "$root/etc/systemd/system/$unit"; done
  mkdir -p "$root"/etc/systemd/{journald,system}.conf.d "$root/usr/lib/mooring-vm"
  printf '[Journal]\nStorage=volatile\nRateLimitBurst=0\n' >"$root/etc/systemd/journald.conf.d/vm.conf"
  # Emulated, everything takes its time.
  printf '[Manager]\nDefaultTimeoutStartSec=180s\nDefaultTimeoutStopSec=30s\nShowStatus=no\n' \
    >"$root/etc/systemd/system.conf.d/vm.conf"
  # A server that comes back waits that long for the clients that it had before.
  mkdir -p "$root/etc/nfs.conf.d"
  printf '[nfsd]\nthreads=4\ngrace-time=10\nlease-time=10\n' >"$root/etc/nfs.conf.d/vm.conf"
  install -m 0755 "$here/guest" "$root/usr/lib/mooring-vm/guest"
  install -m 0644 "$here/mooring-vm.service" "$root/etc/systemd/system/"
  systemctl --root="$root" --quiet enable mooring-vm.service
  systemctl --root="$root" --quiet set-default multi-user.target
}

# The few modules that it takes to get at the root, in the order of their dependencies.
make_initrd() {
  local initrd=$work/initrd module file
  mkdir -p "$initrd"/{bin,modules,dev,proc,sys,root}
  cp "$root/bin/busybox" "$initrd/bin/busybox"
  install -m 0755 "$here/init" "$initrd/init"
  for module in virtio_pci virtio_blk virtio_console ext4; do
    chroot "$root" modprobe --set-version "$release" --show-depends "$module" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
  done | awk '!seen[$0]++' >"$work/wanted"
  while read -r file; do
    cp "$root/$file" "$initrd/modules/"
    echo "${file##*/}" >>"$initrd/modules/order"
  done <"$work/wanted"
  (cd "$initrd" && find . | cpio --quiet --create --format=newc) >"$out/initrd"
}

make_disk() {
  local size_mib
  size_mib=$(du --summarize --block-size=1M "$root" | cut -f 1)
  truncate --size=$((size_mib + 1024))M "$out/root.ext4"
  mke2fs -q -t ext4 -m 0 -J size=16 -E lazy_itable_init=1,lazy_journal_init=1,nodiscard -d "$root" "$out/root.ext4"
}

make_root >"$work/log" 2>&1 || { tail -n 40 "$work/log" >&2; echo "the guest's root could not be made" >&2; exit 1; }
add_kernel
configure
make_initrd
make_disk
echo "$release" >"$out/release"

# shellcheck shell=bash
# Guests as processes. The caller has set: image (a directory that image.sh filled), accelerator (kvm or tcg) and work
# (a directory that it removes), and calls stop_guest at its end. A guest has no network and no disk of the machine,
# writes to throw-away layers over the image, and ends when its caller does, however that ends.

guest=   # process id of the guest that runs
report=  # descriptor of QEMU's standard output: the guest's report, mostly

# guest_command DISK PAYLOAD CONSOLE REPORT [OPTION...]: sets command. CONSOLE and REPORT are character devices of QEMU
# such as stdio or file,path=PATH.
guest_command() {
  local processor=qemu64 tcg='' kernel
  [ "$accelerator" = tcg ] && tcg=,thread=multi,tb-size=512 || processor=host
  kernel="console=hvc0 quiet panic=-1 mitigations=off nokaslr no_timer_check net.ifnames=0 ${kernel_options:-}"
  command=(setpriv --pdeathsig KILL qemu-system-x86_64 -machine q35 -accel "$accelerator$tcg" -cpu "$processor"
    -smp 2 -m 1024 -nodefaults -no-user-config -display none
    -kernel "$image/vmlinux" -initrd "$image/initrd" -append "$kernel"
    -drive "file=$1,if=none,id=disk,cache=unsafe" -device virtio-blk-pci,drive=disk
    -drive "file=$2,if=none,id=payload,format=raw,readonly=on" -device virtio-blk-pci,drive=payload
    -device virtio-serial-pci -chardev "$3,id=console" -device virtconsole,chardev=console
    -chardev "$4,id=report" -device virtconsole,chardev=report -device virtio-rng-pci "${@:5}")
}

start_guest() {
  local command
  guest_command "$@"
  exec {report}< <(TMPDIR=$work exec "${command[@]}" </dev/null 2>"$work/qemu.log")
  guest=$!
}

stop_guest() {
  [ -n "$guest" ] || return 0
  kill -KILL "$guest" 2>/dev/null || true
  wait "$guest" 2>/dev/null || true
  [ -z "$report" ] || exec {report}<&-
  guest='' report=''
}

# next_line END: sets line to the report's next one. False when the guest has ended, or SECONDS has come to END.
next_line() {
  local left=$(($1 - SECONDS))
  [ "$left" -gt 0 ] && IFS= read -r -t "$left" -u "$report" line
}

# until_line WITHIN-SECONDS TEXT: true as soon as the report says TEXT.
until_line() {
  local end=$((SECONDS + $1)) line
  while next_line "$end"; do
    [ "${line%$'\r'}" != "$2" ] || return 0
  done
  return 1
}

# A guest that goes on from a snapshot knows what size its disks are, so all payloads have the same.
payload_mib=256

# Zeroes instead of a payload: the guest waits.
no_payload() {
  truncate --size="${payload_mib}M" "$work/nothing"
  echo "$work/nothing"
}

# pack DIRECTORY: a payload of what is in it.
pack() {
  tar --create --owner=root:0 --group=root:0 --directory="$1" --file="$work/payload" .
  [ "$(stat --format=%s "$work/payload")" -le $((payload_mib << 20)) ] ||
    { echo "the payload is larger than $payload_mib MiB" >&2; return 1; }
  truncate --size="${payload_mib}M" "$work/payload"
  echo "$work/payload"
}

# True if the machine's KVM really runs this kernel: there are machines that have it and on which it hangs.
kvm_works() {
  local accelerator=kvm kernel_options=mooring.probe works=1
  [ -w /dev/kvm ] || return 1
  start_guest "$image/root.ext4,format=raw,snapshot=on" "$(no_payload)" stdio null
  until_line 8 "mooring-vm alive" && works=0
  stop_guest
  return "$works"
}

# Of a guest that was stopped when its memory was written it is not kept that it was: it goes on at once.
forget_stop=(-global migration.store-global-state=off)

# boot PAYLOAD CONSOLE REPORT
boot() { start_guest "$image/root.ext4,format=raw,snapshot=on" "$@"; }

# resume SNAPSHOT PAYLOAD CONSOLE REPORT: a guest that has been booted already, and waits for a payload.
resume() { start_guest "$1/disk,format=qcow2,snapshot=on" "${@:2}" "${forget_stop[@]}" -incoming "exec:cat $1/memory"; }

# make_snapshot DIRECTORY: boots a guest and keeps its memory and its disk. The guest is stopped first: one that runs
# on while its memory is written is now and then not whole.
make_snapshot() {
  qemu-img create -q -f qcow2 -b "$image/root.ext4" -F raw "$1/disk"
  mkfifo "$work/monitor.in" "$work/monitor.out"
  start_guest "$1/disk,format=qcow2" "$(no_payload)" "file,path=$work/console" stdio \
    -chardev "pipe,id=monitor,path=$work/monitor" -mon chardev=monitor,mode=readline "${forget_stop[@]}"
  until_line 120 "== waiting" || { stop_guest; return 1; }
  printf '%s\n' stop 'migrate_set_parameter max-bandwidth 4G' "migrate \"exec:cat >$1/memory\"" quit >"$work/monitor.in"
  # Nothing is said any more: this is the wait for its end.
  until_line 60 "" || true
  stop_guest
  [ -s "$1/memory" ]
}

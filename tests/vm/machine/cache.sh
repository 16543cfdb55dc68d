# shellcheck shell=bash
# What is kept from one run to the next in $cache: the image, a snapshot of a guest that has booted from it, and
# whether KVM works. All of it is made again when what it is made of has changed, and nothing depends on its being
# there. The caller has set: cache, machine (this folder) and what qemu.sh asks for.

say() { printf '%s\n' "$*"; }

hash_of() { sha256sum | cut --characters=-16; }

# libraries TREE: the packages of the libraries that the programs in TREE need.
libraries() {
  local program paths
  paths=$(for program in "$1"/usr/bin/* "$1"/usr/libexec/mooring/*; do ldd "$program"; done |
    sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' | sort -u)
  # What a package calls /usr/lib, its neighbour calls /lib: they are one directory, and ldd tells of either.
  # shellcheck disable=SC2046,SC2086 # lists of words
  { dpkg-query --search $paths $(printf '/usr%s\n' $paths) 2>/dev/null || true; } | sed 's/:.*//' | sort -u
}

# provide_image PACKAGE...: sets image.
provide_image() {
  local key start=$SECONDS
  key=$(cd "$machine" && { sha256sum image.sh init guest mooring-vm.service; echo "$@"; } | hash_of)
  image=$cache/image-$key
  [ -e "$image/release" ] && return 0
  rm -rf "$cache"/image-* "$cache"/new
  mkdir "$cache/new"
  say "Making the guest's image ..."
  if ! "$machine/image.sh" "$cache/new" "$@"; then
    rm -rf "$cache/new"
    return 1
  fi
  mv "$cache/new" "$image"
  say "Made in $((SECONDS - start)) s: Debian 12 with Linux $(cat "$image/release")."
}

# choose_accelerator: sets accelerator. An answer holds until the machine starts again.
choose_accelerator() {
  local key answer=$cache/accelerator
  key="$(cat /proc/sys/kernel/random/boot_id) $(qemu-system-x86_64 --version | head -n 1)"
  if [ "$(head -n 1 "$answer" 2>/dev/null)" = "$key" ]; then
    accelerator=$(tail -n 1 "$answer")
    return 0
  fi
  if kvm_works; then accelerator=kvm; else accelerator=tcg; fi
  printf '%s\n%s\n' "$key" "$accelerator" >"$answer"
}

# provide_snapshot: sets snapshot; empty if guests must be booted one by one.
provide_snapshot() {
  local key start=$SECONDS
  key=$({ sha256sum "$machine/qemu.sh"; cat "$cache/accelerator"; } | hash_of)
  snapshot=$image/snapshot-$key
  [ -e "$snapshot/proven" ] && return 0
  rm -rf "$image"/snapshot-*
  mkdir "$snapshot"
  say "Making a snapshot of a guest that has booted ($accelerator) ..."
  if make_snapshot "$snapshot" && prove_snapshot; then
    : >"$snapshot/proven"
    say "Made in $((SECONDS - start)) s."
  else
    drop_snapshot
  fi
}

# A guest of it must come to its end.
prove_snapshot() {
  local proven=1
  mkdir -p "$work/proof/tree"
  cp "$machine/begin" "$work/proof/begin"
  echo true >"$work/proof/program"
  resume "$snapshot" "$(pack "$work/proof")" "file,path=$work/console" stdio
  until_line 60 "== end 0" && proven=0
  stop_guest
  return "$proven"
}

drop_snapshot() {
  say "No snapshot can be used: each guest is booted."
  rm -rf "$snapshot"
  snapshot=
}

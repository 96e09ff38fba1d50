#!/bin/sh
# Builds the workloads: RISC-V ELF files, which are committed. Needs GCC for riscv64-unknown-elf.
# usage: bench/build.sh
set -e
cd "$(dirname "$0")/workloads"
out=../built
objects=$(mktemp -d)
trap 'rm -r "$objects"' EXIT
mkdir -p "$out"

compile() { # source object
  riscv64-unknown-elf-gcc -march=rv32im$3 -mabi=ilp32 -O2 -ffreestanding -fno-builtin -DREPEAT=1 -c "$1" -o "$objects/$2"
}
link() { # script elf objects…
  script=$1 elf=$2
  shift 2
  (cd "$objects" && riscv64-unknown-elf-gcc -march=rv32im -mabi=ilp32 -nostdlib -nostartfiles -static \
    -Wl,--no-warn-rwx-segments -T "$OLDPWD/$script" -o out.elf "$@" -lgcc)
  riscv64-unknown-elf-strip --strip-debug "$objects/out.elf" -o "$out/$elf"
}

compile start.S start.o
compile main.c main.o
for name in integer strings sieve queens memory sort; do
  compile $name.c work.o
  link workload.ld $name.elf start.o main.o work.o
done

compile vm-start.S vm-start.o _zicsr
compile vm-kernel.c vm-kernel.o
compile vm-user.c user.o
for name in vmsys vmmem; do
  compile $name.c work.o
  link vm.ld $name.elf vm-start.o vm-kernel.o user.o work.o
done

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""disk.py WORK ROOT VMLINUZ: a machine whose root is a disk that systemd boots.

ROOT is a Debian with systemd, and root's; it gets a unit that runs WORK/command when all else is up.
WORK/disk is that root, WORK/initrd what mounts it.
"""
import os
import shutil
import subprocess
import sys

from image import add_modules, pack

UNIT = """[Unit]
After=multi-user.target
[Service]
Type=exec
ExecStart=/bin/bash /vm-main
"""
MAIN = """systemctl is-system-running --wait >/dev/null
stty -F /dev/ttyS1 raw -echo
bash /command </dev/null >/dev/ttyS1 2>&1
printf '\\n@status %s\\n' "$?" >/dev/ttyS1
systemctl poweroff
"""
INIT = """#!/bin/busybox sh
set -e
bb=/bin/busybox
$bb mount -t devtmpfs dev /dev
for name in virtio_pci virtio_blk ext4; do
    $bb modprobe $name || echo "no module $name"
done
for i in 1 2 3 4 5 6 7 8 9 10; do
    [ ! -e /dev/vda ] || break
    $bb sleep 0.3
done
$bb mount -t ext4 /dev/vda /new
$bb umount /dev
exec $bb switch_root /new /sbin/init
"""
FREE_MIB = 512


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    os.chmod(path, mode)


def make_disk(work, root):
    units = os.path.join(root, "etc/systemd/system")
    # By this name the cases know what is not the product's.
    write(os.path.join(units, "cordon-test.service"), UNIT)
    wants = os.path.join(units, "graphical.target.wants")
    os.makedirs(wants, exist_ok=True)
    os.symlink("../cordon-test.service", os.path.join(wants, "cordon-test.service"))
    write(os.path.join(root, "vm-main"), MAIN)
    shutil.copy(os.path.join(work, "command"), os.path.join(root, "command"))
    used = subprocess.run(["du", "-sm", root], capture_output=True, text=True, check=True).stdout
    size = int(int(used.split()[0]) * 1.2) + FREE_MIB
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", root, os.path.join(work, "disk"), f"{size}m"],
                   stdout=subprocess.DEVNULL, check=True)


def make_initrd(work, vmlinuz):
    top = os.path.join(work, "initrd.tree")
    for name in ("bin", "dev", "new", "usr/lib/modules"):
        os.makedirs(os.path.join(top, name))
    os.symlink("usr/lib", os.path.join(top, "lib"))
    shutil.copy2("/bin/busybox", os.path.join(top, "bin/busybox"))
    add_modules(top, vmlinuz)
    write(os.path.join(top, "init"), INIT, 0o755)
    pack(top, os.path.join(work, "initrd"))
    shutil.rmtree(top)


def main():
    work, root, vmlinuz = sys.argv[1:]
    make_disk(work, root)
    make_initrd(work, vmlinuz)


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""image.py OUT SOURCE BUILD VMLINUZ: the root of a test machine as a cpio archive.

What the tests run comes from this host's packages, what they test from BUILD, the scripts from
SOURCE; both keep their paths. The modules come from where VMLINUZ was unpacked.
"""
import os
import shutil
import subprocess
import sys

PACKAGES = """bash dash coreutils grep sed mawk findutils procps util-linux util-linux-extra mount
passwd login diffutils tar gzip hostname iproute2 libc-bin base-files perl-base python3-minimal
python3.11-minimal libpython3.11-minimal libpython3.11-stdlib e2fsprogs acl bubblewrap
kmod git""".split()
LEFT_OUT = ("/usr/share/doc", "/usr/share/man", "/usr/share/locale", "/usr/share/info", "/usr/share/lintian")
PROGRAMS = ["client/cordon", "client/cordon-policy", "broker/cordond", "broker/cordon-worker", "broker/cordon-embedded",
            "platform/linux/cordon-init", "platform/linux/cordon-index",
            "platform/linux/bpf/cordon-bpf", "tests/adversarial/probes", "tests/bench/bench_open",
            "tests/bench/bench_rules"]
SCRIPTS = ["tests", "dev", "packaging/systemd"]
MODULES = ["fuse", "ext4", "loop", "overlay", "virtio_pci", "virtio_blk"]
FILES = ["/bin/busybox", "/etc/nsswitch.conf", "/etc/ld.so.cache", "/etc/ld.so.conf",
         "/etc/passwd", "/etc/group", "/etc/alternatives/awk"]


class Image:
    def __init__(self, top):
        self.top = top
        self.seen = set()

    def add(self, path):
        """One file under its real directory's name, with what it leads to and is linked with."""
        path = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        if path in self.seen or not os.path.lexists(path):
            return
        self.seen.add(path)
        to = self.top + path
        os.makedirs(os.path.dirname(to), exist_ok=True)
        if os.path.isdir(path) and not os.path.islink(path):
            os.makedirs(to, exist_ok=True)
            return
        shutil.copy2(path, to, follow_symlinks=False)
        if os.path.islink(path):
            target = os.path.join(os.path.dirname(path), os.readlink(path))
            if os.path.isfile(target):
                self.add(target)
        elif os.access(path, os.X_OK) or ".so" in path:
            self.add_libraries(path)

    def add_libraries(self, path):
        with open(path, "rb") as file:
            if file.read(4) != b"\x7fELF":
                return
        out = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
        for word in out.split():
            if word.startswith("/"):
                self.add(word)

    def add_tree(self, path):
        self.add(path)
        for folder, folders, files in os.walk(path):
            folders[:] = [name for name in folders if name not in ("CMakeFiles", "__pycache__")]
            for name in files:
                self.add(os.path.join(folder, name))


def add_modules(top, vmlinuz):
    """MODULES and what they need, with the tables that modprobe reads; none if VMLINUZ has none."""
    version = os.path.basename(vmlinuz).removeprefix("vmlinuz-")
    root = os.path.dirname(os.path.dirname(vmlinuz))
    for lib in ("usr/lib/modules", "lib/modules"):
        here = os.path.join(root, lib, version)
        if os.path.isdir(here):
            break
    else:
        return
    needed = set()
    with open(os.path.join(here, "modules.dep"), encoding="ascii") as table:
        for line in table:
            path, _, others = line.partition(":")
            if os.path.basename(path).split(".")[0] in MODULES:
                needed.update([path] + others.split())
    tables = [name for name in os.listdir(here) if name.startswith("modules.")]
    for name in sorted(needed) + tables:
        to = os.path.join(top, "usr/lib/modules", version, name)
        os.makedirs(os.path.dirname(to), exist_ok=True)
        shutil.copy2(os.path.join(here, name), to)


def pack(top, out):
    listing = subprocess.Popen(["find", ".", "-print0"], cwd=top, stdout=subprocess.PIPE)
    with open(out, "wb") as file:
        subprocess.run(["cpio", "-o", "-0", "-H", "newc", "--quiet", "-R", "0:0"], cwd=top,
                       stdin=listing.stdout, stdout=file, check=True)


def main():
    out, source, build, vmlinuz = sys.argv[1:]
    top = out + ".tree"
    image = Image(top)
    for folder in ("usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "proc", "sys", "dev", "tmp",
                   "run", "root", "var/tmp", "srv", "opt", "media", "home", "mnt", "etc"):
        os.makedirs(os.path.join(top, folder), exist_ok=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        os.symlink("usr/" + name, os.path.join(top, name))
    listed = subprocess.run(["dpkg", "-L"] + PACKAGES, capture_output=True, text=True, check=False)
    for path in listed.stdout.split("\n"):
        if path.startswith("/") and path != "/." and not path.startswith(LEFT_OUT):
            image.add(path)
    for path in FILES:
        image.add(path)
    for name in ("awk", "python3", "perl"):
        image.add(shutil.which(name) or "/usr/bin/" + name)
    # And those of the preset "without" next to it, where they are built: run --without=LAYER.
    for name in PROGRAMS:
        image.add_tree(os.path.join(build, name))
        image.add_tree(os.path.join(os.path.dirname(build), "without", name))
    for name in SCRIPTS:
        image.add_tree(os.path.join(source, name))
    add_modules(top, vmlinuz)
    shutil.copy2(os.path.join(source, "tests/vm/init"), os.path.join(top, "init"))
    shutil.copy2(os.path.join(source, "tests/vm/main"), os.path.join(top, "main"))
    pack(top, out)
    shutil.rmtree(top)


if __name__ == "__main__":
    main()

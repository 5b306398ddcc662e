"""What a process gives up before it opens a stranger's file: Linux's limits, Landlock and seccomp.

After `lock_down` this process can compute, read the libraries that it computes with, and answer on
the pipes that it already has. It cannot write, rename or remove any file, read those of the person,
see or signal other processes, start one, or reach the network. Each layer holds without the others,
and each is taken where the kernel has it; `Protection` says which are there.

Landlock binds the thread that asks and those it starts later, so `lock_down` comes before any
other thread is there.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .system_calls import filter_program

#: Files and folders that torch looks at while it computes; without the processor's description
#: it would choose other kernels, and gradients would differ.
_MACHINE = ("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu")
_SMALL = ("/dev/null", "/dev/zero", "/dev/urandom", "/etc/ld.so.cache", "/etc/localtime")
_LIBRARIES = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/local/lib")

#: Where the driver of an NVIDIA card is found.
_CARD_FOLDERS = ("/proc/driver/nvidia", "/sys/bus/pci", "/sys/devices", "/sys/module/nvidia")
_CARD_LIBRARIES = ("/usr/local/nvidia", "/usr/local/cuda")

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_READ_FILE, _READ_DIR, _WRITE_FILE, _IOCTL_DEVICE = 1 << 2, 1 << 3, 1 << 1, 1 << 15

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP = 38, 22
_SECCOMP_FILTER_ALL_THREADS = 1


@dataclass(frozen=True)
class Protection:
    """What holds this process.

    Attributes
    ----------
    limits : bool
        Limits of memory and file size can be set.
    landlock : int
        Version of Landlock; 0 where the kernel has none.
    seccomp : bool
        A filter of system calls.
    """

    limits: bool = False
    landlock: int = 0
    seccomp: bool = False


def lock_down(readable: Iterable[str | Path], *, accelerator: bool = False) -> Protection:
    """Give up everything that computing does not need; there is no way back.

    Parameters
    ----------
    readable : paths
        Folders and files that may still be read, beside the system's libraries.
    accelerator : bool
        Keep what a graphics card's driver needs.
    """
    limits = _limit_files()
    if not sys.platform.startswith("linux"):
        return Protection(limits=limits)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
    libc.syscall.restype = ctypes.c_long
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return Protection(limits=limits)
    _drop_capabilities(libc)
    landlock = _landlock(libc, readable, accelerator)
    return Protection(limits, landlock, _seccomp(libc, accelerator))


def _limit_files() -> bool:
    """No file can grow and no memory is dumped into one."""
    try:
        import resource
    except ImportError:  # Windows
        return False
    for kind in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        resource.setrlimit(kind, (0, 0))
    return True


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    """Where the person is root, the powers that go beyond files."""
    header = struct.pack("<Ii", 0x20080522, 0)
    libc.capset(ctypes.c_char_p(header), ctypes.c_char_p(bytes(24)))


def _landlock(libc: ctypes.CDLL, readable: Iterable[str | Path], accelerator: bool) -> int:
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(1))
    if version < 1:
        return 0
    rights = {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)
    handled = (1 << rights) - 1
    fields = [handled]
    if version >= 4:
        fields.append(0b11)  # bind and connect of TCP
    if version >= 6:
        fields.append(0b11)  # abstract sockets and signals of other processes
    packed = struct.pack(f"<{len(fields)}Q", *fields)
    rules = libc.syscall(
        _CREATE_RULESET, ctypes.c_char_p(packed), ctypes.c_size_t(len(packed)), ctypes.c_uint(0)
    )
    if rules < 0:
        return 0
    try:
        for path in (*_MACHINE, *_SMALL, *_LIBRARIES, *readable):
            _may(libc, rules, path, _READ_FILE | _READ_DIR)
        if accelerator:
            for path in (*_CARD_FOLDERS, *_CARD_LIBRARIES):
                _may(libc, rules, path, _READ_FILE | _READ_DIR)
            devices = (p for name in ("nvidia*", "kfd", "dri") for p in Path("/dev").glob(name))
            for device in sorted(devices):
                _may(libc, rules, device, (_READ_FILE | _READ_DIR | _WRITE_FILE | _IOCTL_DEVICE))
        done = libc.syscall(_RESTRICT_SELF, ctypes.c_int(rules), ctypes.c_uint(0))
    finally:
        os.close(rules)
    return int(version) if done == 0 else 0


def _may(libc: ctypes.CDLL, rules: int, path: str | Path, rights: int) -> None:
    """Allow what lies beneath a path; what is not there needs no rule."""
    try:
        beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(path):
            rights &= ~_READ_DIR
        packed = struct.pack("<Qi", rights, beneath)
        added = libc.syscall(
            _ADD_RULE,
            ctypes.c_int(rules),
            ctypes.c_int(1),
            ctypes.c_char_p(packed),
            ctypes.c_uint(0),
        )
        if added != 0 and rights & _IOCTL_DEVICE:  # a kernel before that right had a name
            packed = struct.pack("<Qi", rights & ~_IOCTL_DEVICE, beneath)
            libc.syscall(
                _ADD_RULE,
                ctypes.c_int(rules),
                ctypes.c_int(1),
                ctypes.c_char_p(packed),
                ctypes.c_uint(0),
            )
    finally:
        os.close(beneath)


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_char_p)]


def _seccomp(libc: ctypes.CDLL, accelerator: bool) -> bool:
    program = filter_program(accelerator=accelerator)
    if program is None:
        return False
    held = _Program(len(program) // 8, program)
    number = {"x86_64": 317, "aarch64": 277}[os.uname().machine]
    done = libc.syscall(
        ctypes.c_long(number),
        ctypes.c_uint(1),
        ctypes.c_uint(_SECCOMP_FILTER_ALL_THREADS),
        ctypes.byref(held),
    )
    if done != 0:  # a kernel that cannot bind all threads at once: this one, and those it starts
        address = ctypes.cast(ctypes.pointer(held), ctypes.c_void_p).value or 0
        done = libc.prctl(_PR_SET_SECCOMP, 2, address, 0, 0)
    return done == 0

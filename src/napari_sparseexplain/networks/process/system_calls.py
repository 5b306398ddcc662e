"""System calls that a process which only computes may make, and the filter that allows no others.

A seccomp filter is a small program that the kernel runs before every system call. This one knows
the calls by number (Linux's own tables for x86-64 and 64-bit Arm), looks at the arguments of the
few that could do both good and harm, and answers all others "not permitted": new calls of later
kernels among them.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass

#: Name: number on x86-64, number on 64-bit Arm; None where the machine does not have it. The most
#: frequent come first, since the filter asks one after the other.
_COMPUTING: dict[str, tuple[int | None, int | None]] = {
    "futex": (202, 98),
    "read": (0, 63),
    "write": (1, 64),
    "mmap": (9, 222),
    "munmap": (11, 215),
    "madvise": (28, 233),
    "mprotect": (10, 226),
    "mremap": (25, 216),
    "brk": (12, 214),
    "sched_yield": (24, 124),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101),
    "gettimeofday": (96, 169),
    "time": (201, None),
    "times": (100, 153),
    "readv": (19, 65),
    "pread64": (17, 67),
    "close": (3, 57),
    "lseek": (8, 62),
    "fstat": (5, 80),
    "newfstatat": (262, 79),
    "stat": (4, None),
    "lstat": (6, None),
    "statx": (332, 291),
    "statfs": (137, 43),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "access": (21, None),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "getdents64": (217, 61),
    "getcwd": (79, 17),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    "sched_getaffinity": (204, 123),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "getppid": (110, 173),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
    "getrandom": (318, 278),
    "getrusage": (98, 165),
    "getrlimit": (97, 163),
    "uname": (63, 160),
    "sysinfo": (99, 179),
    "set_robust_list": (273, 99),
    "get_robust_list": (274, 100),
    "set_tid_address": (218, 96),
    "rseq": (334, 293),
    "membarrier": (324, 283),
    "getcpu": (309, 168),
    "poll": (7, None),
    "ppoll": (271, 73),
}

#: What a driver of a graphics card asks for beyond that.
_ACCELERATOR: dict[str, tuple[int | None, int | None]] = {
    "ioctl": (16, 29),
    "eventfd2": (290, 19),
    "epoll_create1": (291, 20),
    "epoll_ctl": (233, 21),
    "epoll_wait": (232, None),
    "epoll_pwait": (281, 22),
    "pipe2": (293, 59),
    "dup": (32, 23),
    "mlock": (149, 228),
    "munlock": (150, 229),
    "mincore": (27, 232),
    "get_mempolicy": (239, 236),
    "sched_getparam": (143, 121),
    "sched_getscheduler": (145, 120),
    "sched_get_priority_max": (146, 125),
    "sched_get_priority_min": (147, 126),
}

#: Calls whose arguments decide.
_CLONE, _CLONE3 = (56, 220), (435, 435)
_OPEN, _OPENAT = (2, None), (257, 56)
_PRLIMIT64, _FCNTL, _PRCTL = (302, 261), (72, 25), (157, 167)

_CLONE_THREAD = 0x10000
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_FCNTL_HARMLESS = (0, 1, 2, 3, 1030)  # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC
_PR_SET_NAME = 15

#: Machine, as `os.uname` says it: place in the tables, and the kernel's word for it.
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_SET, _AND, _RETURN = 0x20, 0x15, 0x45, 0x54, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_EPERM, _ENOSYS = 0x00050000 | 1, 0x00050000 | 38


@dataclass(frozen=True)
class _Step:
    """One instruction of the filter; jumps are relative."""

    code: int
    value: int
    if_true: int = 0
    if_false: int = 0


def filter_program(*, accelerator: bool = False) -> bytes | None:
    """The filter in the kernel's form; None on machines whose numbers are not known here.

    Parameters
    ----------
    accelerator : bool
        Also what a graphics card's driver needs: device files are opened for writing then, and
        only Landlock says which files may be.
    """
    known = _MACHINES.get(os.uname().machine)
    if known is None or sys.byteorder != "little" or sys.maxsize < 2**32:
        return None
    place, word = known
    steps = list(_steps(place, word, accelerator))
    return b"".join(struct.pack("<HBBI", s.code, s.if_true, s.if_false, s.value) for s in steps)


def _steps(place: int, word: int, accelerator: bool) -> Iterator[_Step]:
    yield _Step(_LOAD, 4)  # the machine's word: a 32-bit call would have other numbers
    yield _Step(_JUMP_IF_EQUAL, word, 1, 0)
    yield _Step(_RETURN, _KILL)
    yield _Step(_LOAD, 0)
    allowed = {**_COMPUTING, **(_ACCELERATOR if accelerator else {})}
    for numbers in allowed.values():
        if (number := numbers[place]) is not None:
            yield _Step(_JUMP_IF_EQUAL, number, 0, 1)
            yield _Step(_RETURN, _ALLOW)
    # Threads, no processes; the newer call hides its flags, and glibc takes the older one instead.
    yield from _if(_CLONE3[place], [_Step(_RETURN, _ENOSYS)])
    yield from _if(_CLONE[place], _when_set(0, _CLONE_THREAD))
    for call, argument in ((_OPEN, 1), (_OPENAT, 2)):
        reading = [_Step(_RETURN, _ALLOW)] if accelerator else _when_clear(argument, _WRITING)
        yield from _if(call[place], reading)
    yield from _if(_PRLIMIT64[place], _when_null(2))
    yield from _if(_FCNTL[place], _when_one_of(1, _FCNTL_HARMLESS))
    yield from _if(_PRCTL[place], _when_one_of(0, (_PR_SET_NAME,)))
    yield _Step(_RETURN, _EPERM)


def _if(number: int | None, then: list[_Step]) -> Iterator[_Step]:
    if number is not None:
        yield _Step(_JUMP_IF_EQUAL, number, 0, len(then))
        yield from then


def _low(argument: int) -> _Step:
    return _Step(_LOAD, 16 + 8 * argument)


def _when_set(argument: int, bits: int) -> list[_Step]:
    return [
        _low(argument),
        _Step(_JUMP_IF_SET, bits, 0, 1),
        _Step(_RETURN, _ALLOW),
        _Step(_RETURN, _EPERM),
    ]


def _when_clear(argument: int, bits: int) -> list[_Step]:
    return [
        _low(argument),
        _Step(_JUMP_IF_SET, bits, 1, 0),
        _Step(_RETURN, _ALLOW),
        _Step(_RETURN, _EPERM),
    ]


def _when_null(argument: int) -> list[_Step]:
    """Allowed when a pointer is null: both its halves."""
    return [
        _low(argument),
        _Step(_JUMP_IF_EQUAL, 0, 0, 3),
        _Step(_LOAD, 20 + 8 * argument),
        _Step(_JUMP_IF_EQUAL, 0, 0, 1),
        _Step(_RETURN, _ALLOW),
        _Step(_RETURN, _EPERM),
    ]


def _when_one_of(argument: int, values: tuple[int, ...]) -> list[_Step]:
    steps = [_low(argument)]
    for value in values:
        steps += [_Step(_JUMP_IF_EQUAL, value, 0, 1), _Step(_RETURN, _ALLOW)]
    return [*steps, _Step(_RETURN, _EPERM)]

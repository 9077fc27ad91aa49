"""Confine this process to a few folders and no network, by the kernel's Landlock.

Source: Documentation/userspace-api/landlock.rst and include/uapi/linux/landlock.h of Linux.
Only the standard library is imported here: this runs before anything that reads foreign files is loaded.
"""

from __future__ import annotations

import ctypes
import os
import sys
from enum import IntFlag
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

CREATE_RULESET = 444
ADD_RULE = 445
RESTRICT_SELF = 446
CREATE_RULESET_VERSION = 1
RULE_PATH_BENEATH = 1
RULE_NET_PORT = 2
CONNECT_TCP = 1 << 1
PR_SET_NO_NEW_PRIVS = 38

NEEDED_ABI = 2
"""Before the second version a confined process cannot move a file between folders at all."""
NET_ABI = 4
SCOPE_ABI = 6


class Access(IntFlag):
    """Rights on files, as the kernel numbers them."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13
    TRUNCATE = 1 << 14
    IOCTL_DEV = 1 << 15


READ = Access.READ_FILE | Access.READ_DIR
WRITE = (
    READ
    | Access.WRITE_FILE
    | Access.REMOVE_DIR
    | Access.REMOVE_FILE
    | Access.MAKE_DIR
    | Access.MAKE_REG
    | Access.REFER
    | Access.TRUNCATE
)
"""No links, sockets, pipes or devices: nothing that could lead a reader of the folder elsewhere."""
ON_FILES = Access.EXECUTE | Access.WRITE_FILE | Access.READ_FILE | Access.TRUNCATE | Access.IOCTL_DEV


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


class _NetPort(ctypes.Structure):
    _fields_ = (("allowed", ctypes.c_uint64), ("port", ctypes.c_uint64))


def abi() -> int:
    """Return the version of Landlock in this kernel; 0 without it."""
    if not sys.platform.startswith("linux"):
        return 0
    version = _syscall(CREATE_RULESET, None, 0, CREATE_RULESET_VERSION)
    return max(int(version), 0)


def available() -> bool:
    """Whether this kernel can confine the processes that read uploads."""
    return abi() >= NEEDED_ABI


def restrict(*, read: Iterable[Path], write: Iterable[Path], connect: Iterable[int] = ()) -> None:
    """Confine this thread and all it starts, for good. Threads that run already stay outside.

    Parameters
    ----------
    read, write
        Files and folders that stay reachable; those that do not exist or cannot be opened are passed over.
        Nothing may be executed, no TCP connection accepted.
    connect
        TCP ports that connections may be made to, from version `NET_ABI` on; no others.

    Raises
    ------
    OSError
        If the kernel refuses.
    """
    version = abi()
    handled = _known(version)
    network = 0b11 if version >= NET_ABI else 0
    scoped = 0b11 if version >= SCOPE_ABI else 0
    attributes = _Ruleset(handled, network, scoped)
    size = 24 if version >= SCOPE_ABI else 16 if version >= NET_ABI else 8
    ruleset = _checked(_syscall(CREATE_RULESET, ctypes.byref(attributes), size, 0))
    try:
        for paths, access in ((read, READ), (write, WRITE)):
            for path in paths:
                _allow(ruleset, path, access & handled)
        for port in connect:
            rule = _NetPort(CONNECT_TCP, port)
            _checked(_syscall(ADD_RULE, ruleset, RULE_NET_PORT, ctypes.byref(rule), 0))
        libc = ctypes.CDLL(None, use_errno=True)
        _checked(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _checked(_syscall(RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(ruleset)


def _known(version: int) -> int:
    """Rights this version knows; naming any other is an error."""
    bits = 13 + (version >= 2) + (version >= 3) + (version >= 5)
    return (1 << bits) - 1


def _allow(ruleset: int, path: Path, access: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError):  # out of reach before, and after
        return
    try:
        allowed = access if path.is_dir() else access & ON_FILES
        rule = _PathBeneath(allowed, handle)
        _checked(_syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, ctypes.byref(rule), 0))
    finally:
        os.close(handle)


def _syscall(number: int, *arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    result: int = libc.syscall(ctypes.c_long(number), *arguments)
    return result


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result

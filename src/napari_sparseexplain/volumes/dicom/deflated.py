"""Deflated DICOM files (PS3.5 A.5): how much they unpack to is found out before it is held.

All of such a data set behind the meta header is one deflate stream, which the parser unpacks as a
whole. It does not say how long it is.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from ...errors import ReadError

#: UID of the transfer syntax, as it stands in a meta header.
_DEFLATED = b"1.2.840.10008.1.2.1.99"

#: Bytes in which a meta header's transfer syntax is looked for.
_HEAD = 4096

#: Unpacked bytes that need no question, and what an image packs to at best.
_HARMLESS, _BEST_RATIO = 256 << 20, 200

#: The parser holds the packed and the unpacked bytes, and the pixels once more.
_MOST = 2 << 30

_CHUNK = 1 << 20


def check_deflated(path: Path) -> None:
    """Refuse a deflated file that unpacks to gigabytes of next to nothing.

    Raises
    ------
    ReadError
    """
    try:
        with open(path, "rb") as stream:
            head = stream.read(_HEAD)
            start = _data_start(head)
            if start is None:
                return
            stream.seek(start)
            packed = unpacked = 0
            inflate = zlib.decompressobj(-zlib.MAX_WBITS)
            while block := stream.read(_CHUNK):
                packed += len(block)
                while block:
                    unpacked += len(inflate.decompress(block, _CHUNK))
                    block = inflate.unconsumed_tail
                    if unpacked > _MOST or unpacked > max(_HARMLESS, _BEST_RATIO * packed):
                        raise ReadError(
                            "the packed data set unpacks to more than "
                            f"{unpacked / 2**20:,.0f} MiB, which no image does: the file is "
                            "damaged, or made to fill the memory",
                            where=path,
                            remedy="Fetch the file again from its archive, uncompressed",
                        )
                if inflate.eof:
                    return
    except ReadError:
        raise
    except (OSError, zlib.error):
        return  # the parser says what is wrong


def _data_start(head: bytes) -> int | None:
    """Where the deflate stream begins; None when the file is not deflated."""
    if head[128:132] != b"DICM" or _DEFLATED not in head:
        return None
    # (0002,0000) FileMetaInformationGroupLength, UL: what follows it in the meta header.
    if len(head) < 144 or head[132:140] != b"\x02\x00\x00\x00UL\x04\x00":
        return None
    return 144 + struct.unpack_from("<I", head, 140)[0]

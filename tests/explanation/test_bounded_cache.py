"""The cache stays within its bytes and forgets what was not asked for the longest."""

from __future__ import annotations

import numpy as np

from napari_sparseexplain.explanation.bounded_cache import BoundedCache, checksum


def test_bytes_stay_within_the_limit_and_the_oldest_goes_first() -> None:
    cache: BoundedCache[bytes] = BoundedCache(10, len)
    for key in "abc":
        cache.put(key, bytes(4))
        cache.get("a")
        assert cache.bytes <= 10
    assert cache.get("b") is None
    assert cache.get("a") == cache.get("c") == bytes(4)


def test_a_value_too_large_for_it_is_not_kept_and_drives_nothing_out() -> None:
    cache: BoundedCache[bytes] = BoundedCache(10, len)
    cache.put("small", bytes(4))
    cache.put("large", bytes(11))
    assert cache.get("large") is None
    assert cache.get("small") == bytes(4)


def test_a_key_put_again_counts_once() -> None:
    cache: BoundedCache[bytes] = BoundedCache(10, len)
    cache.put("a", bytes(6))
    cache.put("a", bytes(3))
    assert (cache.bytes, len(cache)) == (3, 1)
    cache.clear()
    assert (cache.bytes, len(cache)) == (0, 0)


def test_a_checksum_tells_shape_type_and_order_apart() -> None:
    values = np.arange(6)
    parts = [
        (values,),
        (values.reshape(2, 3),),
        (values.astype(np.int32),),
        (values[::-1],),
        (values, 1),
        (values, "1"),
        ("ab", "c"),
        ("a", "bc"),
    ]
    assert len({checksum(*part) for part in parts}) == len(parts)
    assert checksum(values.reshape(2, 3).T) == checksum(
        np.ascontiguousarray(values.reshape(2, 3).T)
    )

from app.serving.memory import release_free_memory


def test_memory_that_is_in_use_survives() -> None:
    kept = [bytes([number]) * 100_000 for number in range(100)]
    release_free_memory()
    assert all(block == bytes([number]) * 100_000 for number, block in enumerate(kept))

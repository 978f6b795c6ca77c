"""The local index is a Store."""

from store_contract import StoreContract


class TestIndex(StoreContract):
    """With the fixture `store` of conftest.py."""

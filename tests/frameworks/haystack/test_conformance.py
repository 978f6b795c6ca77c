"""Haystack's own tests of document stores, of the version that is installed: over an index, and over Qdrant."""

from collections.abc import Iterator

import pytest
from haystack import Document
from haystack.document_stores.errors import DuplicateDocumentError
from haystack.document_stores.types import DuplicatePolicy
from haystack.testing import document_store as suite
from haystack.testing import document_store_async as async_suite
from qdrant_client import QdrantClient

from colibri.compat.haystack import ColibriDocumentStore
from colibri.model import Colibri
from colibri.stores import QdrantStore


class Whole(
    suite.DocumentStoreBaseExtendedTests,
    suite.CountDocumentsByFilterTest,
    suite.CountUniqueMetadataByFilterTest,
    suite.GetMetadataFieldsInfoTest,
    suite.GetMetadataFieldMinMaxTest,
    suite.GetMetadataFieldUniqueValuesTest,
):
    """All that there is. What a store does without a policy is its own affair, and to be said here."""

    __test__ = False

    def test_write_documents(self, document_store: ColibriDocumentStore) -> None:
        written = [Document(content="one"), Document(content="two")]
        assert document_store.write_documents(written) == 2
        assert sorted(one.id for one in document_store.filter_documents()) == sorted(one.id for one in written)
        with pytest.raises(DuplicateDocumentError):
            document_store.write_documents(written[:1], DuplicatePolicy.NONE)


class TestOverAnIndex(Whole):
    """All of them, in order."""

    __test__ = True

    @pytest.fixture
    def document_store(self, document_store: ColibriDocumentStore) -> ColibriDocumentStore:
        return document_store


class TestOverQdrant(Whole):
    """The client's local mode. Documents come in the order of its points' ids."""

    __test__ = True

    @pytest.fixture
    def document_store(self, mini: Colibri) -> Iterator[ColibriDocumentStore]:
        with QdrantStore(QdrantClient(":memory:"), "notes", model=mini) as store:
            yield ColibriDocumentStore(store)

    def assert_documents_are_equal(self, received: list[Document], expected: list[Document]) -> None:
        assert sorted(received, key=lambda one: one.id) == sorted(expected, key=lambda one: one.id)


class TestTwins(
    async_suite.CountDocumentsAsyncTest,
    async_suite.CountDocumentsByFilterAsyncTest,
    async_suite.CountUniqueMetadataByFilterAsyncTest,
    async_suite.DeleteAllAsyncTest,
    async_suite.DeleteByFilterAsyncTest,
    async_suite.DeleteDocumentsAsyncTest,
    async_suite.FilterDocumentsAsyncTest,
    async_suite.GetMetadataFieldMinMaxAsyncTest,
    async_suite.GetMetadataFieldUniqueValuesAsyncTest,
    async_suite.GetMetadataFieldsInfoAsyncTest,
    async_suite.UpdateByFilterAsyncTest,
    async_suite.WriteDocumentsAsyncTest,
):
    """The same methods on a thread."""

    async def test_write_documents_async(self, document_store: ColibriDocumentStore) -> None:
        written = [Document(content="one"), Document(content="two")]
        assert await document_store.write_documents_async(written) == 2
        with pytest.raises(DuplicateDocumentError):
            await document_store.write_documents_async(written)


def test_no_test_of_haystacks_is_left_out() -> None:
    """Every class of tests that either module has is a base of one here."""
    for module, here in ((suite, Whole), (async_suite, TestTwins)):
        theirs = [one for name, one in vars(module).items() if name.endswith("Test") and isinstance(one, type)]
        assert len(theirs) > 10
        assert [one for one in theirs if not issubclass(here, one)] == []

"""LangChain's own suites for vector stores and retrievers, sync and async."""

from typing import Any

import pytest
from langchain_core.retrievers import BaseRetriever
from langchain_tests.integration_tests import RetrieversIntegrationTests, VectorStoreIntegrationTests

from colibri.compat.langchain import ColibriRetriever, ColibriVectorStore


class TestVectorStore(VectorStoreIntegrationTests):
    """25 tests, over each place."""

    @pytest.fixture
    def vectorstore(self, place: Any) -> ColibriVectorStore:
        """One without documents."""
        return ColibriVectorStore(place)


class TestRetriever(RetrieversIntegrationTests):
    """5 tests, over each place."""

    @pytest.fixture(autouse=True)
    def filled(self, place: Any) -> None:
        """Documents to be found."""
        place.add({"id": str(i), "text": f"Note {i} is about birds."} for i in range(9))
        self.place = place

    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        """Ours."""
        return ColibriRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        """What it is made with."""
        return {"index": self.place}

    @property
    def retriever_query_example(self) -> str:
        """A question."""
        return "birds"

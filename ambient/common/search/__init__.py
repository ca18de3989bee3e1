"""`search` of the lists: the Tree Search Language (docs/search.md), from text to a filter."""

from ambient.common.search.columns import Column, ColumnType
from ambient.common.search.compiler import compile_search
from ambient.common.search.parser import SearchError, parse

__all__ = ["Column", "ColumnType", "SearchError", "compile_search", "parse"]

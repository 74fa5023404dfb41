"""Vectors for items that nobody has rated, from their genres, their year and their tags."""

from recommender.attributes.attribute_map import AttributeMap, trust
from recommender.attributes.features import Features
from recommender.attributes.item_attributes import ItemAttributes
from recommender.attributes.learned import LearnedAttributes

__all__ = [
    "AttributeMap",
    "Features",
    "ItemAttributes",
    "LearnedAttributes",
    "trust",
]
